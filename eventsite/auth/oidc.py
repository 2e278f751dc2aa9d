"""Sign-in by any OpenID provider, such as Keycloak or Auth0, with its issuer URL and a public client.

https://openid.net/specs/openid-connect-discovery-1_0.html
https://openid.net/specs/openid-connect-rpinitiated-1_0.html
"""

import json
import logging
import time
from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

from django.conf import settings

from eventsite.env import is_loopback
from eventsite.errors import Unavailable
from eventsite.ids import is_id

logger = logging.getLogger(__name__)

FETCH_TIMEOUT_SECONDS = 2
MAX_BYTES = 100_000
PAUSE_AFTER_FAILURE_SECONDS = 5
NEEDED = ("jwks_uri", "authorization_endpoint", "token_endpoint")
KEYCLOAK_DEFAULT = frozenset({"account"})
"""The audience of Keycloak's access tokens without an audience mapper. Their `azp` names the client."""
TYPES = ("Bearer", "ID")  # Keycloak's names of access and ID tokens; other providers have no `typ`


class Undiscovered(Unavailable):
    """The provider's configuration cannot be fetched."""

    detail = "The service that sign-in depends on does not answer. Try again shortly."


class Discovery:
    """The provider's configuration document, fetched on first use and kept until the process ends."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._found: dict[str, Any] | None = None
        self._next_fetch = 0.0

    def __getitem__(self, name: str) -> str:
        """Return the URL of this name, empty if there is none.

        Raises:
            Undiscovered: The document cannot be fetched, or is not valid.
        """
        if self._found is None:
            self._found = self._fetch()
        return str(self._found.get(name, ""))

    def _fetch(self) -> dict[str, Any]:
        if time.monotonic() < self._next_fetch:
            raise Undiscovered
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            with urlopen(url, timeout=FETCH_TIMEOUT_SECONDS) as answer:  # noqa: S310 (a `trusted_url`)
                found = json.loads(answer.read(MAX_BYTES))
            self._check(found)
        except (OSError, HTTPException, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            self._next_fetch = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            logger.warning("cannot use the configuration of the OpenID provider at %s: %s", url, error)
            raise Undiscovered from error
        document: dict[str, Any] = found
        return document

    def _check(self, found: Any) -> None:
        """Raise `ValueError` if the document is another issuer's, or has a URL that is not https."""
        if found["issuer"] != self._issuer:
            raise ValueError(f"its issuer is {found['issuer']!r}")
        for name in NEEDED:
            if not found[name].startswith("https://" if not is_loopback(found[name]) else ("http://", "https://")):
                raise ValueError(f"{name} is no https URL")


@lru_cache(maxsize=4)
def discovery(issuer: str) -> Discovery:
    """Return the configuration of an issuer, shared by all requests of this process."""
    return Discovery(issuer)


class OpenIDProvider(NamedTuple):
    """An OpenID provider, and the client whose tokens are accepted."""

    issuer: str
    client_id: str
    audience: str = ""
    """The audience of access tokens; empty if only the client is accepted."""
    groups_claim: str = "groups"

    @property
    def scopes(self) -> list[str]:
        return ["openid", "profile", "email"]

    @property
    def jwks_url(self) -> str:
        return discovery(self.issuer)["jwks_uri"]

    @property
    def authorize_url(self) -> str:
        return discovery(self.issuer)["authorization_endpoint"]

    @property
    def token_url(self) -> str:
        return discovery(self.issuer)["token_endpoint"]

    @property
    def revoke_url(self) -> str:
        return discovery(self.issuer)["revocation_endpoint"]

    def logout_url(self, home: str) -> str:
        """Return the page that ends the provider's session, or `home` if there is none."""
        page = discovery(self.issuer)["end_session_endpoint"]
        query = {"client_id": self.client_id, "post_logout_redirect_uri": home}
        return f"{page}?{urlencode(query)}" if page else home

    def allow(self, callback: str, logout: str) -> None:
        """Do nothing: the provider's operator registers these pages."""

    def objection(self, claims: dict[str, Any]) -> str:
        """Return why verified claims are not for this service, or an empty string if they are.

        An ID token names the client as its audience. An access token names the API, or, as Keycloak makes it by
        default, no audience of its own and the client as `azp`. A token for another API is refused, also if this
        client got it: the other API could send it here.
        """
        if claims.get("typ", "ID") not in TYPES or "events" in claims:
            return "The token is neither an access nor an ID token."
        named = claims.get("aud", [])
        audiences = frozenset([named] if isinstance(named, str) else named)
        of_the_client = claims.get("azp", self.client_id) == self.client_id
        is_ours = (
            (self.audience and self.audience in audiences)
            or (self.client_id in audiences and of_the_client)
            or (audiences <= KEYCLOAK_DEFAULT and claims.get("azp") == self.client_id)
        )
        return "" if is_ours else "The token was made for another client."

    def user_id(self, sub: Any) -> str | None:
        """Return the `sub`, or a digest of it if it has characters that a user id cannot have (`auth0|5f1`)."""
        if not isinstance(sub, str) or not sub:
            return None
        return sub if is_id(sub) else urlsafe_b64encode(sha256(sub.encode()).digest()).decode().rstrip("=")

    def groups(self, claims: dict[str, Any]) -> Any:
        """Return the claim of the groups: by its whole name, or by a path such as `realm_access.roles`.

        Keycloak writes groups as paths. The leading slash of a top-level group is removed.
        """
        found: Any = claims.get(self.groups_claim)
        if found is None:
            found = claims
            for name in self.groups_claim.split("."):
                found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, list) and all(isinstance(group, str) for group in found):
            return [group.removeprefix("/") for group in found]
        return found


def configured() -> OpenIDProvider:
    """Return the provider of the settings."""
    return OpenIDProvider(
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_AUDIENCE, settings.OIDC_GROUPS_CLAIM
    )
