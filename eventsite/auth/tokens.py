"""Cognito's JSON web tokens: what makes one good, and who it speaks for.

Imported when the first token is to be verified: PyJWT and its cryptography cost a cold start some 30 ms.

The rules are AWS's: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""

import logging
import time
from functools import lru_cache
from http.client import HTTPException
from typing import Any

import jwt

from eventsite.auth.permissions import Principal
from eventsite.auth.user_pool import Pool
from eventsite.errors import Unavailable
from eventsite.ids import is_id
from eventsite.text import encodable
from eventsite.text.mail_address import is_address
from eventsite.text.visible import is_name

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 8192
"""API Gateway takes 10,240 bytes of headers in all; longer tokens are refused before anything parses them."""

LEEWAY_SECONDS = 30
KEYS_KEPT_SECONDS = 60 * 60
REFETCH_AFTER_SECONDS = 30
FETCH_TIMEOUT_SECONDS = 2
PAUSE_AFTER_FAILURE_SECONDS = 5

REQUIRED = ["exp", "iss", "sub", "token_use"]
NAME_CLAIMS, MAX_NAME = ("name", "cognito:username", "username"), 200
CLIENT_CLAIM = {"access": "client_id", "id": "aud"}

# Whatever a hostile token does to a parser: no JSON, deep nesting, infinite numbers, lists where texts belong. PyJWT
# makes all of that its own error as far as we know; should one slip through, it proves no more than the others.
MALFORMED = (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


class BadToken(Exception):
    """The token proves nothing; the text is a sentence that says why."""


class KeysUnreachable(Unavailable):
    """The pool's public keys cannot be had, so no token can be told from a forgery."""

    detail = "The keys that sign-in depends on cannot be fetched right now. Try again shortly."


class Keys(jwt.PyJWKClient):
    """The pool's public keys, kept for an hour; fetched again for an unknown key, but not more than twice a minute."""

    def __init__(self, url: str) -> None:
        super().__init__(
            url,
            lifespan=KEYS_KEPT_SECONDS,
            timeout=FETCH_TIMEOUT_SECONDS,
            cooldown_duration=REFETCH_AFTER_SECONDS,
        )
        self._next_fetch = 0.0

    def fetch_data(self) -> Any:
        """Fetch the keys. Raises `KeysUnreachable`; for a while after a failure, at once."""
        if time.monotonic() < self._next_fetch:
            raise KeysUnreachable
        try:
            return super().fetch_data()
        except (jwt.PyJWTError, OSError, HTTPException, ValueError, RecursionError) as error:
            self._next_fetch = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            logger.warning("cannot fetch the keys of the user pool from %s: %s", self.uri, error)
            raise KeysUnreachable from error


@lru_cache(maxsize=4)
def keys(url: str) -> Keys:
    """The keys served at a URL, shared by all requests of this process."""
    return Keys(url)


def verify(token: str, pool: Pool) -> dict[str, Any]:
    """The claims of a token, once it is certain that this pool made it, for this client, and that it is in force.

    Raises: `BadToken`; `KeysUnreachable`.
    """
    if len(token) > MAX_CHARACTERS:
        raise BadToken("The token is too long.")
    try:
        claims = _verified(token, pool)
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise BadToken("The token has expired, or is not valid yet.") from error
    except jwt.InvalidIssuerError as error:
        raise BadToken("The token is from another issuer.") from error
    except MALFORMED as error:
        raise BadToken("The token is malformed, or its signature is not valid.") from error
    use = claims["token_use"]
    if not isinstance(use, str) or use not in CLIENT_CLAIM:
        raise BadToken("The token is neither an access nor an ID token.")
    if claims.get(CLIENT_CLAIM[use]) != pool.client_id:
        raise BadToken("The token was made for another client.")
    return claims


def _verified(token: str, pool: Pool) -> dict[str, Any]:
    header = jwt.get_unverified_header(token)
    kid = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(kid, str):  # before anything is fetched on its behalf
        raise jwt.InvalidAlgorithmError
    claims: dict[str, Any] = jwt.decode(
        token,
        keys(pool.jwks_url).get_signing_key(kid),
        algorithms=["RS256"],
        issuer=pool.issuer,
        leeway=LEEWAY_SECONDS,
        options={"require": REQUIRED, "verify_aud": False},  # an access token has no audience; see CLIENT_CLAIM
    )
    return claims


def principal(claims: dict[str, Any]) -> Principal:
    """Whom verified claims speak for. Raises `BadToken` when they do not say it in a form that we can use."""
    if not is_id(claims["sub"]):
        raise BadToken("The token's sub is not a user id.")
    email = _email(claims)
    return Principal(
        claims["sub"],
        frozenset(_groups(claims.get("cognito:groups"))),
        _name(claims),
        email,
        email_verified=bool(email) and claims.get("email_verified") in (True, "true"),
    )


def _name(claims: dict[str, Any]) -> str:
    """Return the first claim that is a name by our rules, cut to what a name may have; empty if there is none."""
    for claim in NAME_CLAIMS:
        value = claims.get(claim)
        if isinstance(value, str) and is_name(name := encodable(value)[:MAX_NAME]):
            return name
    return ""


def _email(claims: dict[str, Any]) -> str:
    """Return the address in the claims; empty if there is none that mail can reach."""
    email = claims.get("email")
    return email if isinstance(email, str) and is_address(email) else ""


def _groups(claim: Any) -> list[str]:
    """The groups: a list; or one text, which is the name of one group and is not taken apart."""
    if claim is None:
        return []
    if isinstance(claim, str):
        return [claim]
    if isinstance(claim, list) and all(isinstance(group, str) for group in claim):
        return claim
    raise BadToken("The token's groups are neither a list nor a text.")
