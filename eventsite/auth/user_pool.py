"""The identity provider that this service trusts: a Cognito user pool, or another one in `eventsite.auth.oidc`."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

from django.conf import settings
from django.utils.module_loading import import_string

from eventsite.ids import is_id

CLIENT_CLAIM = {"access": "client_id", "id": "aud"}


class Provider(Protocol):
    """The interface of an identity provider for the login and the verification of tokens."""

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens."""

    @property
    def client_id(self) -> str:
        """The id of the public client that users sign in to, with PKCE."""

    @property
    def scopes(self) -> list[str]:
        """The scopes that a login requests."""

    @property
    def jwks_url(self) -> str:
        """The URL of its public keys."""

    @property
    def authorize_url(self) -> str:
        """The page where a login begins."""

    @property
    def token_url(self) -> str:
        """Where a code is exchanged for tokens."""

    @property
    def revoke_url(self) -> str:
        """The URL that revokes a refresh token, or an empty string."""

    def logout_url(self, home: str) -> str:
        """Return the page that ends the provider's session and leads back home."""

    def allow(self, callback: str, logout: str) -> None:
        """Register these two pages with the provider, if this process has to do that."""

    def objection(self, claims: dict[str, Any]) -> str:
        """Return why verified claims are not for this service in a sentence, or an empty string if they are."""

    def user_id(self, sub: Any) -> str | None:
        """Return the user id of a `sub`, or None if it cannot be one."""

    def groups(self, claims: dict[str, Any]) -> Any:
        """Return the claim that names the groups."""


def _allowed_already(callback: str, logout: str) -> None:
    """Do nothing: the client of a pool on AWS was made with these pages."""


class Pool(NamedTuple):
    """A user pool, and the app client whose tokens are accepted."""

    pool_id: str
    client_id: str
    jwks_url: str
    domain: str
    """The URL of the hosted UI; empty if there is none."""
    allow: Callable[[str, str], None] = _allowed_already

    @property
    def issuer(self) -> str:
        """The `iss` of the pool's tokens. The pool's id begins with its region."""
        return f"https://cognito-idp.{self.pool_id.partition('_')[0]}.amazonaws.com/{self.pool_id}"

    @property
    def scopes(self) -> list[str]:
        """The scopes that a login requests. With these, an ID token has all claims that the client may read."""
        return ["openid"]

    @property
    def authorize_url(self) -> str:
        return f"{self.domain}/oauth2/authorize"

    @property
    def token_url(self) -> str:
        return f"{self.domain}/oauth2/token"

    @property
    def revoke_url(self) -> str:
        return f"{self.domain}/oauth2/revoke"

    def logout_url(self, home: str) -> str:
        return f"{self.domain}/logout?{urlencode({'client_id': self.client_id, 'logout_uri': home})}"

    def objection(self, claims: dict[str, Any]) -> str:
        """Return why verified claims are not for this client, or an empty string if they are.

        https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
        """
        use = claims.get("token_use")
        if not isinstance(use, str) or use not in CLIENT_CLAIM:
            return "The token is neither an access nor an ID token."
        return "" if claims.get(CLIENT_CLAIM[use]) == self.client_id else "The token was made for another client."

    def user_id(self, sub: Any) -> str | None:
        return sub if is_id(sub) else None

    def groups(self, claims: dict[str, Any]) -> Any:
        return claims.get("cognito:groups")


def pool() -> Provider:
    """Return the provider that `settings.USER_POOL` makes.

    Raises:
        Unavailable: The provider cannot be reached.
    """
    found: Provider = import_string(settings.USER_POOL)()
    return found


def configured() -> Pool:
    """Return the pool of the settings."""
    pool = Pool(
        settings.COGNITO_USER_POOL_ID, settings.COGNITO_CLIENT_ID, settings.COGNITO_JWKS_URL, settings.COGNITO_DOMAIN
    )
    return pool._replace(jwks_url=pool.jwks_url or f"{pool.issuer}/.well-known/jwks.json")
