"""Sign-in by any OpenID provider, such as Keycloak or Auth0, with its issuer URL and a public client.

https://openid.net/specs/openid-connect-discovery-1_0.html
https://openid.net/specs/openid-connect-rpinitiated-1_0.html
"""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.conf import settings

from eventsite.auth.user_pool import FETCH_TIMEOUT_SECONDS, Provider, fetching, opened
from eventsite.env import is_loopback
from eventsite.errors import Unavailable
from eventsite.ids import is_id

MAX_BYTES = 100_000
NEEDED = ("jwks_uri", "authorization_endpoint", "token_endpoint")
KEYCLOAK_DEFAULT = frozenset({"account"})
"""The audience of Keycloak's access tokens without an audience mapper. Their `azp` names the client."""
TYPES = ("Bearer", "ID")  # Keycloak's names of access and ID tokens; other providers have no `typ`


class Undiscovered(Unavailable):
    detail = "The service that sign-in depends on does not answer. Try again shortly."


@lru_cache(maxsize=4)
def discovery(issuer: str) -> dict[str, Any]:
    """Return the configuration document of a provider, kept until the process ends.

    Raises:
        Undiscovered: The document cannot be fetched, is another issuer's, or has a URL that is not https.
    """
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    with fetching(url, Undiscovered):
        with opened(url, FETCH_TIMEOUT_SECONDS) as answer:
            found: dict[str, Any] = json.loads(answer.read(MAX_BYTES))
        if found["issuer"] != issuer:
            raise ValueError(f"its issuer is {found['issuer']!r}")
        for name in NEEDED:
            if not found[name].startswith("https://" if not is_loopback(found[name]) else ("http://", "https://")):
                raise ValueError(f"{name} is no https URL")
    return found


@dataclass(frozen=True, kw_only=True)
class OpenIDProvider(Provider):
    """An OpenID provider, and the client whose tokens are accepted."""

    audience: str = ""  # the audience of access tokens; empty if only the client is accepted
    groups_claim: str = "groups"

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
    found = discovery(settings.OIDC_ISSUER)
    return OpenIDProvider(
        issuer=settings.OIDC_ISSUER,
        client_id=settings.OIDC_CLIENT_ID,
        jwks_url=found["jwks_uri"],
        authorize_url=found["authorization_endpoint"],
        token_url=found["token_endpoint"],
        revoke_url=str(found.get("revocation_endpoint", "")),
        logout_page=str(found.get("end_session_endpoint", "")),
        logout_parameter="post_logout_redirect_uri",
        scopes=("openid", "profile", "email"),
        audience=settings.OIDC_AUDIENCE,
        groups_claim=settings.OIDC_GROUPS_CLAIM,
    )
