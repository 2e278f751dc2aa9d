"""The identity provider that this service trusts: a Cognito user pool, or another one in `eventsite.auth.oidc`."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode

from django.conf import settings
from django.utils.module_loading import import_string

from eventsite.errors import Unavailable
from eventsite.ids import is_id

logger = logging.getLogger(__name__)

CLIENT_CLAIM = {"access": "client_id", "id": "aud"}
FETCH_TIMEOUT_SECONDS = 2
PAUSE_AFTER_FAILURE_SECONDS = 5


class Unverified(Exception):
    """The provider did not confirm the identity of the caller. The text is a sentence with the reason."""


@dataclass(frozen=True, kw_only=True)
class Provider(ABC):
    """An identity provider, and its public client that users sign in to, with PKCE."""

    issuer: str  # the `iss` of its tokens
    client_id: str
    jwks_url: str  # the URL of its public keys
    authorize_url: str  # the page where a login begins
    token_url: str  # where a code is exchanged for tokens
    revoke_url: str  # the URL that revokes a refresh token, or an empty string
    logout_page: str  # the page that ends the provider's session, or an empty string
    logout_parameter: str  # the parameter of that page for the page to return to
    scopes: tuple[str, ...]  # the scopes that a login requests

    def allow(self, callback: str, logout: str) -> None:  # noqa: B027 (elsewhere the provider's operator has done it)
        """Register the pages to return to after login and logout, if this process has to do that."""

    def logout_url(self, home: str) -> str:
        """Return the page that ends the provider's session and leads back home, or `home` if there is none."""
        query = {"client_id": self.client_id, self.logout_parameter: home}
        separator = "&" if "?" in self.logout_page else "?"  # the pages of some providers have a query of their own
        return f"{self.logout_page}{separator}{urlencode(query)}" if self.logout_page else home

    @abstractmethod
    def objection(self, claims: dict[str, Any]) -> str:
        """Return why verified claims are not for this service in a sentence, or an empty string if they are."""

    @abstractmethod
    def user_id(self, sub: Any) -> str | None:
        """Return the user id of a `sub`, or None if it cannot be one."""

    @abstractmethod
    def groups(self, claims: dict[str, Any]) -> Any:
        """Return the claim that names the groups."""


class Pool(Provider):
    """A user pool of Cognito, and the app client whose tokens are accepted."""

    @classmethod
    def of(cls, pool_id: str, client_id: str, jwks_url: str, domain: str) -> Self:
        """Return the pool of an id, which begins with its region. `domain` is the URL of its hosted UI."""
        issuer = f"https://cognito-idp.{pool_id.partition('_')[0]}.amazonaws.com/{pool_id}"
        return cls(
            issuer=issuer,
            client_id=client_id,
            jwks_url=jwks_url or f"{issuer}/.well-known/jwks.json",
            authorize_url=f"{domain}/oauth2/authorize",
            token_url=f"{domain}/oauth2/token",
            revoke_url=f"{domain}/oauth2/revoke",
            logout_page=f"{domain}/logout",
            logout_parameter="logout_uri",
            scopes=("openid",),  # with it, an ID token has all claims that the client may read
        )

    @property
    def pool_id(self) -> str:
        return self.issuer.rpartition("/")[2]

    def objection(self, claims: dict[str, Any]) -> str:
        """Return why verified claims are not for this client, or an empty string.

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
    """Return the provider that `settings.USER_POOL` makes. Raise `Unavailable` if it cannot be reached."""
    found: Provider = import_string(settings.USER_POOL)()
    return found


def configured() -> Pool:
    return Pool.of(
        settings.COGNITO_USER_POOL_ID, settings.COGNITO_CLIENT_ID, settings.COGNITO_JWKS_URL, settings.COGNITO_DOMAIN
    )


def opened(request: Any, seconds: float) -> Any:
    """Send a request, or open a URL, and return the response. That of a refusal is closed before it is raised."""
    from urllib.request import urlopen  # imported for the first request to the provider

    try:
        return urlopen(request, timeout=seconds)  # noqa: S310 (a `trusted_url`)
    except HTTPError as error:
        error.close()
        raise


_not_before: dict[str, float] = {}  # when a URL may be fetched again after a failure, by `time.monotonic`


@contextmanager
def fetching(url: str, failure: type[Unavailable]) -> Iterator[None]:
    """Fetch a document of the provider within this context, unless that failed `PAUSE_AFTER_FAILURE_SECONDS` ago.

    The `failure` is raised for any error, because the provider may answer anything.
    """
    if time.monotonic() < _not_before.get(url, 0):
        raise failure
    try:
        yield
    except Exception as error:
        _not_before[url] = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
        logger.warning("cannot use what the identity provider has at %s: %s", url, error)
        raise failure from error
