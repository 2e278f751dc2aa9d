"""What a mail says, in the words of the pages: as plain text, as HTML, and as an entry for the calendar."""

import re
import uuid
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from events import calendar
from events.browsable.wording import when
from events.models import Event
from eventsite.text.mail_address import in_ascii
from registrations.notices.occasions import DELETED, MOVED, OFF, ON_AGAIN, PROMOTED, Occasion
from users.models import User

BRAND = "eventsite"
AS_WRITTEN = SMTP.clone(refold_source="none")
"""Headers leave as they were made: folding them anew would parse them."""
NAMESPACE = uuid.UUID("0e7d3f3c-2c3d-4f62-9a86-6a4b8a1d2f55")
WHEN = ("date", "startTime", "endTime", "timeZone")

SUBJECTS = {
    PROMOTED: "You have a seat: {title}",
    OFF: "Cancelled: {title}",
    DELETED: "Cancelled: {title}",
    ON_AGAIN: "On again: {title}",
    MOVED: "Changed: {title}",
}
LEADS = {
    PROMOTED: "You moved up from the waitlist: you have a seat.",
    OFF: "The event is cancelled. You need not do anything.",
    DELETED: "The event is cancelled, and your registration with it. You need not do anything.",
    ON_AGAIN: "The event was cancelled, and takes place after all. You are still signed up.",
    MOVED: "The event has changed. You are still signed up.",
}


class Fact(NamedTuple):
    """One line about the event."""

    label: str
    value: str
    before: str = ""
    """What it was, where it changed."""


@dataclass
class _Words:
    """What the templates show."""

    subject: str
    title: str
    lead: str
    facts: list[Fact]
    event_url: str = ""
    own_url: str = ""
    profile_url: str = ""
    is_off: bool = False
    brand: str = BRAND


class Letter(EmailMessage):
    """A mail, and the address it goes to, which nobody has to parse out of its headers."""

    recipient: str


def compose(occasion: Occasion, user: User, change: str) -> Letter:
    """The mail that tells one person. Takes: what is to be told; whom; the id of the notice."""
    words = _words(occasion, user)
    letter = Letter(policy=AS_WRITTEN)
    letter.recipient = in_ascii(str(user.email))
    letter.set_raw("Subject", _encoded(words.subject, "Subject"))
    letter["From"] = f"{BRAND} <{settings.MAIL_FROM}>"
    letter.set_raw("To", _mailbox(user.name, letter.recipient))
    letter["Date"] = timezone.now()
    name, domain = uuid.uuid5(NAMESPACE, f"{change} {user.user_id}"), settings.MAIL_FROM.partition("@")[2]
    letter["Message-ID"] = f"<{name}@{domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter["List-Unsubscribe"] = f"<{words.profile_url or f'mailto:{settings.MAIL_FROM}?subject=unsubscribe'}>"
    letter.set_content(render_to_string("registrations/mail/letter.txt", vars(words)).rstrip() + "\n")
    letter.add_alternative(render_to_string("registrations/mail/letter.html", vars(words)), subtype="html")
    if occasion.event.created_at:
        _attach(letter, occasion, words)
    return letter


def _attach(letter: Letter, occasion: Occasion, words: _Words) -> None:
    """Attach the entry for the calendar: to be taken in, or taken out where the event is off."""
    method = "CANCEL" if words.is_off else "PUBLISH"
    entry = calendar.entry(occasion.event, words.event_url, organizer=settings.MAIL_FROM)
    letter.add_attachment(
        calendar.document([entry], method=method),
        maintype="text",
        subtype="calendar",
        params={"charset": "utf-8", "method": method},
        filename="event.ics",
    )


def _words(occasion: Occasion, user: User) -> _Words:
    event, is_off = occasion.event, occasion.kind in (OFF, DELETED)
    title = one_line(event.title)
    words = _Words(
        subject=SUBJECTS[occasion.kind].format(title=title),
        title=title,
        lead=LEADS[occasion.kind],
        facts=_facts(event, occasion.before),
        is_off=is_off,
    )
    if settings.PUBLIC_URL:
        page = f"{settings.PUBLIC_URL}/events/{event.event_id}"
        words.profile_url = f"{settings.PUBLIC_URL}/users/{_oneself(user)}"
        words.event_url = "" if occasion.kind == DELETED else page
        words.own_url = "" if is_off else f"{page}/registrations/{_oneself(user)}"
    return words


def _oneself(user: User) -> str:
    """Under which name people find themselves: where nobody signs in, nobody is `me`."""
    return "me" if settings.AUTH_MODE == "cognito" else user.user_id


def _facts(event: Event, before: dict[str, Any]) -> list[Fact]:
    now = {"date": event.date, "startTime": event.start_time, "endTime": event.end_time, "timeZone": event.time_zone}
    was = now | {name: value for name, value in before.items() if name in WHEN}
    return [
        Fact("When", _when(now), _when(was) if was != now else ""),
        Fact("Where", one_line(event.location), one_line(before.get("location") or "")),
        Fact("Organized by", one_line(event.organizer)),
    ]


def _when(told: dict[str, Any]) -> str:
    zone = told["timeZone"]
    return f"{when(told)} ({zone})" if zone else when(told)


def _mailbox(name: str, address: str) -> str:
    """Return a person's name and address as a header has them."""
    return f"{_encoded(name, 'To')}\r\n <{address}>"


def _encoded(text: str, header: str) -> str:
    """Return text from users as encoded words, all of it, so that no parser finds an encoded word of theirs in it.

    CPython before 3.11.10 and 3.12.6 decodes what is assigned to a header, and does not encode it again
    (CVE-2024-6923): hence `set_raw`, which parses nothing.
    """
    return Header(one_line(text), "utf-8", header_name=header).encode(linesep="\r\n")


def one_line(text: str) -> str:
    """Return a text without what could end a line of a header, or begin another paragraph."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e]+", " ", text).strip()
