"""The Cognito user pool that this service trusts."""

from typing import NamedTuple

from django.conf import settings


class Pool(NamedTuple):
    """A user pool, and the app client whose tokens count."""

    pool_id: str
    client_id: str
    jwks_url: str
    domain: str
    """The URL of the hosted UI; empty if there is none."""

    @property
    def issuer(self) -> str:
        """The `iss` of the pool's tokens; the pool's id begins with its region."""
        return f"https://cognito-idp.{self.pool_id.partition('_')[0]}.amazonaws.com/{self.pool_id}"


def pool() -> Pool:
    """The pool of the settings; without one, the embedded engine's, which is made when it is first asked for.

    Raises: `errors.Unavailable` when there is no engine to ask.
    """
    if not settings.COGNITO_USER_POOL_ID:
        from eventsite.local import user_pool  # only local runs have, or need, a pool of their own

        return user_pool.pool()
    configured = Pool(
        settings.COGNITO_USER_POOL_ID, settings.COGNITO_CLIENT_ID, settings.COGNITO_JWKS_URL, settings.COGNITO_DOMAIN
    )
    return configured._replace(jwks_url=configured.jwks_url or f"{configured.issuer}/.well-known/jwks.json")
