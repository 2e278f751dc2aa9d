"""Convert names, addresses and ids in files to valid ones. Each change is noted."""

import re
import unicodedata
import uuid
from hashlib import sha256
from typing import Any

from eventsite.ids import is_id
from eventsite.text.printable import JOINERS
from registrations.models import CANCELLED, REGISTERED, WAITLISTED
from registrations.transfer import columns, notes
from registrations.transfer.columns import USER
from registrations.transfer.notes import Notes

RESERVED = frozenset({"me"})
LONGEST_ID, HASH_DIGITS = 128, 8
LONGEST_NAME = 200
BY_ADDRESS = uuid.UUID("8a4d2c60-6f0e-5f6b-9b1d-54a1c3f0d7e2")
WORDS = {
    **dict.fromkeys(("registered", "confirmed", "approved", "accepted", "attending", "going", "yes", "ja"), REGISTERED),
    **dict.fromkeys(("checked in", "checkedin", "attended", "active", "valid", "paid", "complete"), REGISTERED),
    **dict.fromkeys(("completed", "free", "ok", "angemeldet"), REGISTERED),
    **dict.fromkeys(("waitlisted", "waitlist", "waiting", "waiting list", "on waitlist", "pending"), WAITLISTED),
    **dict.fromkeys(("pending approval", "awaiting payment", "reserved", "warteliste"), WAITLISTED),
    **dict.fromkeys(("cancelled", "canceled", "refunded", "left", "storniert"), CANCELLED),
    **dict.fromkeys(("declined", "rejected", "not attending", "not going", "no", "nein"), None),
    **dict.fromkeys(("invited", "expired", "deleted", "no response"), None),
}
"""The words of other services for a status, in lower case and with spaces; None for people who are not coming."""
_IN_BRACKETS = re.compile(r"(?:.*<|mailto:)?\s*([^<>\s]+)\s*>?(?: ::: .*)?", re.IGNORECASE | re.DOTALL)
"""An address in brackets, or the first of several, between which Google writes ``:::``."""


def text_of(value: Any) -> str:
    """Return an id or a text, also if it is written as a number. A missing value gives an empty string."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**100 else ""
    return value.strip() if isinstance(value, str) else ""


def fitting_id(theirs: str) -> str:
    """Return a valid id: the given one, or one that is derived from it and always the same."""
    if is_id(theirs) and theirs not in RESERVED:
        return theirs
    digest = sha256(theirs.encode()).hexdigest()[:HASH_DIGITS]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", theirs)[: LONGEST_ID - HASH_DIGITS - 1]
    return f"{readable}-{digest}"


def id_of_address(address: str) -> str:
    """Return the id of a person with only an address. It is always the same, and hides the address."""
    return str(uuid.uuid5(BY_ADDRESS, address.casefold()))


def status_of(word: str, place: str, found: Notes) -> str | None:
    """Return the status for a word of another service, by default a seat. None if the person is not coming."""
    plain = " ".join(word.replace("_", " ").lower().split())
    if plain and plain not in WORDS:
        found.add(notes.STATUSES, f"{place}: {word[:40]!r}")
    status = WORDS.get(plain, REGISTERED)
    if status is None:
        found.add(notes.DECLINED, f"{place}: {word}")
    return status


def address_of(value: Any, place: str, found: Notes) -> str | None:
    """Return an e-mail address that the API accepts, or None."""
    text = text_of(value)
    if not text or columns.accepts(USER, "email", text):
        return text or None
    bare = _IN_BRACKETS.fullmatch(text)
    if bare and columns.accepts(USER, "email", bare[1]):
        found.add(notes.ADDRESSES, f"{place}: {text!r} is {bare[1]}")
        return bare[1]
    found.add(notes.NO_ADDRESSES, f"{place}: {text[:60]!r}")
    return None


def name_of(value: Any, user_id: str, place: str, found: Notes) -> str:
    """Return a name that the API accepts: the given one, repaired if necessary, or the id."""
    text = text_of(value)
    for written in (value, text):
        if isinstance(written, str) and columns.accepts(USER, "name", written):
            return written
    kept = "".join(letter for letter in text if letter in JOINERS or unicodedata.category(letter)[0] != "C")
    repaired = kept.strip()[:LONGEST_NAME].strip()
    if repaired and columns.accepts(USER, "name", repaired):
        found.add(notes.NAMES, f"{place}: {repaired[:60]!r}")
        return repaired
    found.add(notes.NAMELESS, f"{place}: {user_id}")
    return user_id
