"""JSON web tokens of the identity provider: verify one, and read the caller from its claims.

This module is imported for the first token: PyJWT and its cryptography add some 30 ms to a cold start.
"""

import logging
import time
from functools import lru_cache
from http.client import HTTPException
from typing import Any

import jwt

from eventsite.auth.permissions import Principal
from eventsite.auth.user_pool import Provider
from eventsite.errors import Unavailable
from eventsite.text import encodable
from eventsite.text.mail_address import is_address
from eventsite.text.visible import is_name

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 8192  # a longer token is refused unparsed; API Gateway accepts 10,240 bytes of headers in all
LEEWAY_SECONDS = 30  # the clocks of the provider and the server may differ by this
KEYS_KEPT_SECONDS = 60 * 60
REFETCH_AFTER_SECONDS = 30  # the least time between two fetches for unknown keys
FETCH_TIMEOUT_SECONDS = 2
PAUSE_AFTER_FAILURE_SECONDS = 5

REQUIRED = ["exp", "iss", "sub"]
NAME_CLAIMS, MAX_NAME = ("name", "cognito:username", "username"), 200

# A hostile token may be no JSON, nest deeply, or have infinite numbers or lists in place of strings. PyJWT converts the
# errors that we know of to its own. An error that it misses makes the token no less invalid.
MALFORMED = (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


class BadToken(Exception):
    """The token is not valid. The text is a sentence with the reason."""


class KeysUnreachable(Unavailable):
    """The provider's public keys cannot be fetched, so no token can be verified."""

    detail = "The keys that sign-in depends on cannot be fetched right now. Try again shortly."


class Keys(jwt.PyJWKClient):
    """The provider's public keys, kept for an hour.

    They are fetched again for an unknown key, at most twice a minute.
    """

    def __init__(self, url: str) -> None:
        super().__init__(
            url, lifespan=KEYS_KEPT_SECONDS, timeout=FETCH_TIMEOUT_SECONDS, cooldown_duration=REFETCH_AFTER_SECONDS
        )
        self._next_fetch = 0.0

    def fetch_data(self) -> Any:
        """Fetch the keys.

        Raises:
            KeysUnreachable: The keys cannot be fetched, or could not `PAUSE_AFTER_FAILURE_SECONDS` ago.
        """
        if time.monotonic() < self._next_fetch:
            raise KeysUnreachable
        try:
            return super().fetch_data()
        except (jwt.PyJWTError, OSError, HTTPException, ValueError, RecursionError) as error:
            self._next_fetch = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            logger.warning("cannot fetch the keys of the identity provider from %s: %s", self.uri, error)
            raise KeysUnreachable from error


@lru_cache(maxsize=4)
def keys(url: str) -> Keys:
    """Return the keys served at a URL, shared by all requests of this process."""
    return Keys(url)


def verify(token: str, provider: Provider) -> dict[str, Any]:
    """Verify a token of this provider for this service, and return its claims.

    Raises:
        BadToken: The token is not valid.
        KeysUnreachable: The keys cannot be fetched.
    """
    if len(token) > MAX_CHARACTERS:
        raise BadToken("The token is too long.")
    try:
        claims = _verified(token, provider)
        objection = provider.objection(claims)
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise BadToken("The token has expired, or is not valid yet.") from error
    except jwt.InvalidIssuerError as error:
        raise BadToken("The token is from another issuer.") from error
    except MALFORMED as error:
        raise BadToken("The token is malformed, or its signature is not valid.") from error
    if objection:
        raise BadToken(objection)
    return claims


def _verified(token: str, provider: Provider) -> dict[str, Any]:
    header = jwt.get_unverified_header(token)
    kid = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(kid, str):  # checked before the keys are fetched
        raise jwt.InvalidAlgorithmError
    claims: dict[str, Any] = jwt.decode(
        token,
        keys(provider.jwks_url).get_signing_key(kid),
        algorithms=["RS256"],
        issuer=provider.issuer,
        leeway=LEEWAY_SECONDS,
        options={"require": REQUIRED, "verify_aud": False},  # each provider has its own rule: `objection`
    )
    return claims


def principal(claims: dict[str, Any], provider: Provider) -> Principal:
    """Return the caller from verified claims.

    Raises:
        BadToken: The `sub` or the groups have a form that this service cannot use.
    """
    user_id = provider.user_id(claims["sub"])
    if user_id is None:
        raise BadToken("The token's sub is not a user id.")
    email = _email(claims)
    return Principal(
        user_id,
        frozenset(_groups(provider.groups(claims))),
        _name(claims),
        email,
        email_verified=bool(email) and claims.get("email_verified") in (True, "true"),
    )


def _name(claims: dict[str, Any]) -> str:
    """Return the first claim that is a valid name, shortened if necessary, or an empty string."""
    for claim in NAME_CLAIMS:
        value = claims.get(claim)
        if isinstance(value, str) and is_name(name := encodable(value)[:MAX_NAME]):
            return name
    return ""


def _email(claims: dict[str, Any]) -> str:
    """Return the e-mail address in the claims, or an empty string if it is missing or not valid."""
    email = claims.get("email")
    return email if isinstance(email, str) and is_address(email) else ""


def _groups(claim: Any) -> list[str]:
    """Return the groups of a claim. A string is the name of one group, and is not split."""
    if claim is None:
        return []
    if isinstance(claim, str):
        return [claim]
    if isinstance(claim, list) and all(isinstance(group, str) for group in claim):
        return claim
    raise BadToken("The token's groups are neither a list nor a text.")
