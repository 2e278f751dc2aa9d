"""Encrypt what a client keeps for this service, and may neither read nor change: cursors and refresh tokens."""

import json
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

BLOCK = 64  # bytes; the length of a value is revealed to this precision only


def seal(value: Any, purpose: str, owner: Any = None) -> str:
    """Return JSON as sealed text, which `unseal` reads for the same purpose and owner only.

    The same value is always sealed alike (RFC 5297, AES-SIV), so that a page with cursors does not change by itself.
    """
    text = json.dumps(value).encode()
    padded = text.ljust(math.ceil(len(text) / BLOCK) * BLOCK)
    return _encoded(_cipher(settings.SECRET_KEY, purpose).encrypt(padded, [json.dumps(owner).encode()]))


def unseal(text: str, purpose: str, owner: Any = None) -> Any:
    """Return the value of a sealed text.

    Python's decoder skips characters outside of the alphabet and reads nothing after padding, so the text is compared
    with that of `_encoded`.

    Raises:
        ValueError: The text is damaged, forged, or sealed for another purpose or owner.
    """
    from cryptography.exceptions import InvalidTag

    sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encoded(sealed) != text:
        raise ValueError("this is not base64url")
    try:
        return json.loads(_cipher(settings.SECRET_KEY, purpose).decrypt(sealed, [json.dumps(owner).encode()]))
    except InvalidTag:
        raise ValueError("this is not sealed by us") from None


def _encoded(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).decode().rstrip("=")


@lru_cache(maxsize=2)
def _cipher(secret: str, purpose: str) -> "AESSIV":
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # most requests of a cold start seal nothing

    return AESSIV(salted_hmac(__name__, purpose, secret=secret, algorithm="sha512").digest())
