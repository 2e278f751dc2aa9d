"""The Cognito user pool that this service trusts."""

from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string


def _allowed_already(callback: str, logout: str) -> None:
    """A pool of AWS's is told once, by whoever makes its client."""


class Pool(NamedTuple):
    """A user pool, and the app client whose tokens count."""

    pool_id: str
    client_id: str
    jwks_url: str
    domain: str
    """The URL of the hosted UI; empty if there is none."""
    allow: Callable[[str, str], None] = _allowed_already
    """Lets the hosted UI send browsers back to these two pages: after a login, and after a logout."""

    @property
    def issuer(self) -> str:
        """The `iss` of the pool's tokens; the pool's id begins with its region."""
        return f"https://cognito-idp.{self.pool_id.partition('_')[0]}.amazonaws.com/{self.pool_id}"


def pool() -> Pool:
    """The pool, by the function that `settings.USER_POOL` names. Raises: `errors.Unavailable` when it cannot be had."""
    found: Pool = import_string(settings.USER_POOL)()
    return found


def configured() -> Pool:
    """The pool of the settings."""
    pool = Pool(
        settings.COGNITO_USER_POOL_ID, settings.COGNITO_CLIENT_ID, settings.COGNITO_JWKS_URL, settings.COGNITO_DOMAIN
    )
    return pool._replace(jwks_url=pool.jwks_url or f"{pool.issuer}/.well-known/jwks.json")
