"""The ids of operations. An operation is one attempt of a request to change one registration.

An id has eleven characters: seven are the time in milliseconds, four are random. Together with the user and the event
it determines the registration's id and the time that is shown. So the commit log can be short, and any process that
reads a log entry can apply it.
"""

import base64
import hashlib
import uuid
from datetime import UTC, datetime

from eventsite import clock

ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""In the order of ASCII, so that ids sort by time."""
TIME_CHARACTERS, DRAWN_CHARACTERS = 7, 4
DRAWS = 64**DRAWN_CHARACTERS  # the number of different random parts
TAG_CHARACTERS = 6
SELF = "="
"""The actor of an operation that the user of the registration requested."""
LONGEST_PLAIN_TOKEN = 24  # characters; the log has a hash of a longer user id, so that the seats stay short
NAMESPACE = uuid.UUID("5c1b3f5e-6a43-4f0c-8a06-5a1d0a3f7c55")


def new_id(at: str, drawn: int) -> str:
    """Return the id of a new operation.

    Args:
        at: The time, as RFC 3339 in UTC.
        drawn: A random number below `DRAWS`.
    """
    return encoded(clock.in_milliseconds(at), TIME_CHARACTERS) + encoded(drawn, DRAWN_CHARACTERS)


def encoded(number: int, length: int = 1) -> str:
    """Return a number in base 64, padded to at least `length` digits."""
    digits = ""
    while number or len(digits) < length:
        number, digit = divmod(number, 64)
        digits = ALPHABET[digit] + digits
    return digits


def decoded(digits: str) -> int:
    """Return the number that `encoded` encoded."""
    number = 0
    for digit in digits:
        number = number * 64 + ALPHABET.index(digit)
    return number


def time_of(operation: str) -> str:
    """Return when an operation began, as RFC 3339 in UTC with microseconds."""
    milliseconds = milliseconds_of(operation)
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}000Z"


def milliseconds_of(operation: str) -> int:
    """Return when an operation began, in milliseconds since the Unix epoch, by the clock of its server."""
    return decoded(operation[:TIME_CHARACTERS])


def tag_of(operation: str) -> str:
    """Return the end of an operation's id, which is enough to distinguish the operations on one registration."""
    return operation[-TAG_CHARACTERS:]


def registration_id(incarnation: str, user_id: str, operation: str) -> str:
    """Return the id of the registration that a joining creates."""
    return str(uuid.uuid5(NAMESPACE, f"{incarnation}~{user_id}~{operation}"))


def token_of(user_id: str) -> str:
    """Return the token that names a user in the commit log.

    Returns:
        At most 24 characters: ``!`` and the 16 bytes of a UUID in base 64; a short id as it is; else ``=`` and a hash.
    """
    if len(user_id) == 36 and (packed := _packed(user_id)):
        return packed
    if len(user_id) <= LONGEST_PLAIN_TOKEN:
        return user_id
    return "=" + base64.urlsafe_b64encode(hashlib.sha256(user_id.encode()).digest()[:15]).decode()


def _packed(user_id: str) -> str | None:
    try:
        value = uuid.UUID(user_id)
    except ValueError:
        return None
    if str(value) != user_id:  # for example in upper case, which would not survive the round trip
        return None
    return "!" + base64.urlsafe_b64encode(value.bytes).decode().rstrip("=")


def user_of(token: str) -> str | None:
    """Return the id of a token's user, or None if the token is a hash."""
    if token.startswith("="):
        return None
    if token.startswith("!"):
        return str(uuid.UUID(bytes=base64.urlsafe_b64decode(token[1:] + "==")))
    return token


def actor(by: str | None, user_id: str) -> str | None:
    """Return how the seats name the caller who requested an operation, in at most 24 characters.

    Args:
        by: The id of the caller; None if the caller is not signed in.
        user_id: The user of the registration.

    Returns:
        `SELF`, a token, or None if the caller is unknown or the id is too long for a token that can be read.
    """
    if by is None or by == user_id:
        return SELF if by else None
    token = token_of(by)
    return token if user_of(token) else None


def caller_of(actor: str | None, user_id: str) -> str | None:
    """Return the id of the caller that `actor` named, or None."""
    return user_id if actor == SELF else actor and user_of(actor)
