"""JSON web tokens of the identity provider: verify one, and read the caller from its claims.

This module is imported for the first token: PyJWT and its cryptography add some 30 ms to a cold start.
"""

from functools import lru_cache
from typing import Any

import jwt

from eventsite.auth.permissions import Principal
from eventsite.auth.user_pool import FETCH_TIMEOUT_SECONDS, Provider, Unverified, fetching
from eventsite.errors import Unavailable
from eventsite.text import encodable
from eventsite.text.mail_address import is_address
from eventsite.text.visible import is_name

MAX_CHARACTERS = 8192  # a longer token is refused unparsed; API Gateway accepts 10,240 bytes of headers in all
LEEWAY_SECONDS = 30  # the clocks of the provider and the server may differ by this
KEYS_KEPT_SECONDS = 60 * 60
REFETCH_AFTER_SECONDS = 30  # the least time between two fetches for unknown keys

REQUIRED = ["exp", "iss", "sub"]
NAME_CLAIMS, MAX_NAME = ("name", "cognito:username", "username"), 200

# A hostile token may be no JSON, nest deeply, or have infinite numbers or lists in place of strings. PyJWT converts the
# errors that we know of to its own. An error that it misses makes the token no less invalid.
MALFORMED = (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


class KeysUnreachable(Unavailable):
    detail = "The keys that sign-in depends on cannot be fetched right now. Try again shortly."


class Keys(jwt.PyJWKClient):
    """The provider's public keys, kept for an hour.

    They are fetched again for an unknown key, at most twice a minute.
    """

    def fetch_data(self) -> Any:
        with fetching(self.uri, KeysUnreachable):
            return super().fetch_data()


@lru_cache(maxsize=4)
def keys(url: str) -> Keys:
    """Return the keys served at a URL, shared by all requests of this process."""
    return Keys(url, lifespan=KEYS_KEPT_SECONDS, timeout=FETCH_TIMEOUT_SECONDS, cooldown_duration=REFETCH_AFTER_SECONDS)


def verify(token: str, provider: Provider) -> dict[str, Any]:
    """Verify a token of this provider for this service, and return its claims.

    Raises:
        Unverified: The token is not valid.
        KeysUnreachable: The keys cannot be fetched.
    """
    if len(token) > MAX_CHARACTERS:
        raise Unverified("The token is too long.")
    try:
        claims = _verified(token, provider)
        objection = provider.objection(claims)
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise Unverified("The token has expired, or is not valid yet.") from error
    except jwt.InvalidIssuerError as error:
        raise Unverified("The token is from another issuer.") from error
    except MALFORMED as error:
        raise Unverified("The token is malformed, or its signature is not valid.") from error
    if objection:
        raise Unverified(objection)
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
    """Return the caller from verified claims. Raise `Unverified` if the `sub` or the groups have no form of ours."""
    user_id = provider.user_id(claims["sub"])
    if user_id is None:
        raise Unverified("The token's sub is not a user id.")
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
    raise Unverified("The token's groups are neither a list nor a text.")
