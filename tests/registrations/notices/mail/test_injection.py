"""No text of a user becomes a header, an encoded word, or a paragraph that looks like ours."""

import email
import email.policy
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.models import Event
from registrations.notices.mail import messages
from registrations.notices.occasions import MOVED, Occasion
from tests.registrations.notices.carrying import text
from tests.strategies import texts
from users.models import User


@pytest.fixture(autouse=True)
def tables() -> None:
    """Instead of the suite's: nothing here needs a table."""


EVENT: dict[str, Any] = {
    "description": "",
    "date": "2083-04-01",
    "version": 1,
    "status": "published",
    "created_at": "2026-11-29T18:00:00.000000Z",
    "updated_at": "2026-11-29T18:00:00.000000Z",
}
PIECES = [
    "=?utf-8?q?A=0D=0ABcc=3A_x=40example.org?=",
    "=?utf-8?b?QQ0KQmNjOiB4?=",
    "=?",
    "?=",
    "\r\n",
    "\n\n",
    "\r",
    " ",
]
PIECES += [
    "\x85",
    "\u2028",
    "Bcc: x@example.org",
    "<x@example.org>",
    ",",
    '"',
    "\u202e",
    "é",
    "You moved up.",
    "--",
    "a",
]
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join) | texts(200)
SHOWN = TEXTS.filter(messages.one_line)
"""As the API takes them: with something to be seen."""


def sent(name: str, title: str, place: str, organizer: str) -> EmailMessage:
    """The mail as its reader gets it."""
    event = Event("party", title=title, location=place, organizer=organizer, **EVENT)
    user = User("alice", name=name, email="alice@straße.example", created_at=EVENT["created_at"])
    letter = messages.compose(Occasion(MOVED, event, {"location": place}), user, "party.1.v2.changed")
    raw = letter.as_bytes()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    return email.message_from_bytes(raw, policy=email.policy.compat32)  # type: ignore[arg-type]


@cache
def benign() -> EmailMessage:
    return sent("Alice", "Party", "Garden", "Club")


def plain_text(mail: EmailMessage) -> str:
    return text(email.message_from_bytes(mail.as_bytes(), policy=email.policy.default))  # type: ignore[arg-type]


def decoded(header: str) -> str:
    """The text of a header, by the parser that takes no part of it for a header of its own."""
    return str(make_header(decode_header(re.sub(r"\r\n\s", " ", header))))


def in_one_line(value: str) -> str:
    return messages.one_line(value)


@given(name=TEXTS, title=TEXTS, place=TEXTS, organizer=TEXTS)
def test_headers_hold_the_texts_and_nothing_else(name: str, title: str, place: str, organizer: str) -> None:
    mail, plain = sent(name, title, place, organizer), benign()
    assert mail.keys() == plain.keys()
    assert decoded(str(mail["Subject"])) == f"Changed: {in_one_line(title)}".strip()
    assert decoded(str(mail["To"]).rpartition("<")[0]).strip() == in_one_line(name)
    assert str(mail["To"]).rpartition("<")[2] == "alice@xn--strae-oqa.example>"
    for header in ("Subject", "To"):
        words = str(mail[header]).replace("<alice@xn--strae-oqa.example>", "").split()
        assert all(re.fullmatch(r"=\?utf-8\?[bq]\?[!->@-~]*\?=", word) for word in words), "ours, all of it"


@given(title=SHOWN, place=SHOWN, organizer=SHOWN)
def test_the_plain_text_has_the_paragraphs_that_we_wrote(title: str, place: str, organizer: str) -> None:
    said, expected = plain_text(sent("A", title, place, organizer)), plain_text(benign())
    assert len(said.splitlines()) == len(expected.splitlines())
    assert f"Where: {in_one_line(place)}\n" in said and f"Organized by: {in_one_line(organizer)}\n" in said
