"""Mails: their plain text, their HTML, and their calendar entry.

Text of users never reaches a parser of headers, and cannot look like a paragraph of the service.
"""

import re
import uuid
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from events import calendar
from events.browsable.wording import days, is_of_several_days
from eventsite.text import humanize
from eventsite.text.mail_address import in_ascii
from registrations.notices import occasions
from registrations.notices.occasions import Occasion
from users.models import User

BRAND = "eventsite"
AS_WRITTEN = SMTP.clone(refold_source="none")  # headers stay unchanged; folding would parse them again
NAMESPACE = uuid.UUID("0e7d3f3c-2c3d-4f62-9a86-6a4b8a1d2f55")
WITHOUT_ENTRY = frozenset({occasions.WAITING, occasions.MESSAGE})  # in the calendar

WORDS = {
    occasions.SIGNED_UP: ("You are signed up: {title}", "You have a seat."),
    occasions.WAITING: (
        "You are on the waitlist: {title}",
        "You are number {place} on the waitlist. You get another mail when you have a seat.",
    ),
    occasions.PROMOTED: ("You have a seat: {title}", "You moved up from the waitlist: you have a seat."),
    occasions.REMINDER: ("Reminder: {title}", "The event is coming up, and you have a seat."),
    occasions.OFF: ("Cancelled: {title}", "The event is cancelled. You need not do anything."),
    occasions.DELETED: (
        "Cancelled: {title}",
        "The event is cancelled, and your registration with it. You need not do anything.",
    ),
    occasions.ON_AGAIN: (
        "On again: {title}",
        "The event takes place after all. You are still {standing}.",
    ),
    occasions.MOVED: ("Changed: {title}", "The event has changed. You are still {standing}."),
    occasions.MESSAGE: ("{subject}", "The organizers of this event have written to you:"),
}
"""The subject and the first sentence of each kind of mail."""


class Mail(EmailMessage):
    """A mail with its recipient, so that no header has to be parsed for the address."""

    recipient: str
    tags: dict[str, str]
    """The ids of the user and the event, which SES reports with a bounce."""


def compose(occasion: Occasion, user: User, change: str, reply_to: User | None = None) -> Mail:
    """Return the mail to one user about the notice with the id `change`."""
    words = _words(occasion, user)
    mail = _addressed(user, words["subject"], f"{change} {user.user_id}")
    mail.tags["event"] = occasion.event.event_id
    if reply_to:
        mail.set_raw("Reply-To", _mailbox(reply_to.name, in_ascii(str(reply_to.email))))
    mail["List-Unsubscribe"] = f"<{words['profile_url'] or f'mailto:{settings.MAIL_FROM}?subject=unsubscribe'}>"
    _fill(mail, "letter", words)
    if occasion.event.created_at and occasion.kind not in WITHOUT_ENTRY and not occasion.is_waiting:
        _attach(mail, occasion, words)
    return mail


def compose_confirmation(user: User, url: str, change: str) -> Mail:
    mail = _addressed(user, "Please confirm your e-mail address", change)
    _fill(mail, "confirmation", {"url": url, "brand": BRAND})
    return mail


def _addressed(user: User, subject: str, identity: str) -> Mail:
    """Return a mail with headers and without content."""
    mail = Mail(policy=AS_WRITTEN)
    mail.recipient, mail.tags = in_ascii(str(user.email)), {"user": user.user_id}
    mail.set_raw("Subject", _encoded(subject, "Subject"))
    mail["From"] = f"{BRAND} <{settings.MAIL_FROM}>"
    mail.set_raw("To", _mailbox(user.name, mail.recipient))
    mail["Date"] = timezone.now()
    mail["Message-ID"] = f"<{uuid.uuid5(NAMESPACE, identity)}@{settings.MAIL_FROM.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _fill(mail: Mail, template: str, values: dict[str, Any]) -> None:
    mail.set_content(render_to_string(f"registrations/mail/{template}.txt", values).rstrip() + "\n")
    mail.add_alternative(render_to_string(f"registrations/mail/{template}.html", values), subtype="html")


def _attach(mail: Mail, occasion: Occasion, words: dict[str, Any]) -> None:
    """Attach the calendar entry, which adds the event, or removes it if it is cancelled."""
    method = "CANCEL" if words["is_off"] else "PUBLISH"
    entry = calendar.entry(occasion.event, words["event_url"], organizer=settings.MAIL_FROM)
    mail.add_attachment(
        calendar.document([entry], method=method),
        maintype="text",
        subtype="calendar",
        params={"charset": "utf-8", "method": method},
        filename="event.ics",
    )


def _words(occasion: Occasion, user: User) -> dict[str, Any]:
    """Return the context of the templates. Without `PUBLIC_URL` there are no links."""
    title, is_off = one_line(occasion.event.title), occasion.kind in (occasions.OFF, occasions.DELETED)
    page = settings.PUBLIC_URL and f"{settings.PUBLIC_URL}/events/{occasion.event.event_id}"
    oneself = "me" if settings.AUTH_MODE != "open" else user.user_id
    subject, lead = WORDS[occasion.kind]
    standing = "on the waitlist" if occasion.is_waiting else "signed up"
    return {
        "subject": subject.format(title=title, subject=one_line(occasion.subject)),
        "title": title,
        "lead": lead.format(place=humanize.number(occasion.place), standing=standing),
        "facts": _facts(occasion),
        "quoted": [one_line(line) for line in occasion.text.splitlines()],
        "is_off": is_off,
        "event_url": page if occasion.kind != occasions.DELETED else "",
        "own_url": f"{page}/registrations/{oneself}" if page and occasions.takes_place(occasion.event) else "",
        "profile_url": f"{settings.PUBLIC_URL}/users/{oneself}" if page else "",
        "is_optional": occasion.kind not in occasions.WITHOUT_ASKING,
        "brand": BRAND,
    }


def _facts(occasion: Occasion) -> list[tuple[str, str, str]]:
    """Return facts about the event: a label, the value, and the value before a change or an empty string."""
    event, before = occasion.event, occasion.before
    now = {name: getattr(event, occasions.ATTRIBUTES[name]) for name in occasions.WHEN}
    was = now | {name: value for name, value in before.items() if name in occasions.WHEN}
    return [
        ("When", _when(now), _when(was) if was != now else ""),
        ("Where", one_line(event.location), one_line(before.get("location") or "")),
        ("Organized by", one_line(event.organizer), ""),
    ]


def _when(times: dict[str, Any]) -> str:
    shown = days(times)
    if is_of_several_days(times):
        first = days({"date": times["date"], "startTime": times["startTime"]})
        shown = f"{first} – {days({'date': times['endDate'], 'startTime': times['endTime']})}"  # noqa: RUF001 (a range)
    return f"{shown} ({times['timeZone']})" if times["timeZone"] else shown


def _mailbox(name: str, address: str) -> str:
    """Return a name and an address in the format of a header."""
    return f"{_encoded(name, 'To')}\r\n <{address}>"


def _encoded(text: str, header: str) -> str:
    """Encode a whole text as encoded words, so that a parser finds no encoded word of a user in it.

    CPython before 3.11.10 and 3.12.6 decodes the value that is assigned to a header, and does not encode it again
    (CVE-2024-6923). Hence `set_raw`, which parses nothing.
    """
    return Header(one_line(text), "utf-8", header_name=header).encode(linesep="\r\n")


def one_line(text: str) -> str:
    """Return a text without the characters that end a line or a paragraph."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e]+", " ", text).strip()
