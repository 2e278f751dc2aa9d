"""E-mail to people: who is told, whether there is still something to tell, and that each is told once.

Of each notice that concerns people one task comes out of the queue. One about an event is cut into pages of people
first. What was true when it happened is looked at again before a mail is sent: nobody is told of a seat that they
gave up meanwhile, nor of a change that was taken back.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from email.message import EmailMessage
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ParamValidationError,
    ProxyConnectionError,
    SSLError,
)
from django.conf import settings

from events import models
from events.editing import EventNotFound
from events.models import OPEN_STATUSES, Event
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.reads import together
from eventsite.errors import Unavailable
from eventsite.web import observability
from registrations import pages as lists
from registrations.models import ACTIVE, CANCELLED, ActiveItem
from registrations.notices import aws
from registrations.notices.markers import Marker, Standing
from registrations.notices.queue import Postponed, Task
from users.models import User

Notice = dict[str, Any]

PROMOTED, OFF, DELETED, ON_AGAIN, MOVED = "promoted", "off", "deleted", "on again", "moved"
TOLD = ("date", "startTime", "endTime", "timeZone", "location")
"""The fields of an event whose changes people are told."""

AT_ONCE = 20
"""So many people make a page: at a tenth of a second for each mail, two seconds."""
READ_AT_ONCE, CUT_AT_ONCE = 1000, 5000
"""So many people are read in one look, and so many by one task; another one continues."""


@dataclass(frozen=True)
class Occasion:
    """What people are to be told."""

    kind: str
    event: Event
    before: dict[str, Any]
    """What fields in `TOLD` were before, those that changed."""


def concerns_people(notice: Notice) -> bool:
    """Whether people are mailed about it: who moved up; whose event is off, on again, or not when or where it was."""
    what, data = notice["type"], notice["data"]
    if what == "event.changed":
        return data["previous"].get("status") == CANCELLED or any(name in TOLD for name in data["changed"])
    if what == "registration.cancelled":
        return bool(data.get("reason") == "event_deleted" and data.get("event"))
    return what in ("registration.promoted", "event.cancelled")


def carry(task: Task) -> list[Task]:
    """Mail the people of a task, or cut it into tasks for pages of people.

    Returns: the tasks that are left. Raises: `Postponed`, `Unavailable`.
    """
    occasion = occasion_of(task.notice)
    if occasion is None:
        return []
    people = task.people or tuple(filter(None, [task.notice.get("subject")]))
    if not people:
        return list(_pages(task))
    failed = [user_id for user_id in people if not _mail(task.notice, occasion, user_id)]
    if failed and len(people) == 1:
        raise Postponed("the mail was not taken")
    return [replace(task, people=(user_id,)) for user_id in failed]


def _pages(task: Task) -> Iterator[Task]:
    """Tasks for pages of everybody who has a seat or waits, and one that continues where there are too many."""
    after: int | None = task.after or None
    event_id = task.notice["data"]["eventId"]
    for _ in range(CUT_AT_ONCE // READ_AT_ONCE):
        try:
            found, after = lists.of_event(event_id, scope=EVERYTHING, status=ACTIVE, limit=READ_AT_ONCE, after=after)
        except EventNotFound:  # and whoever was in is told so
            return
        ids = [registration.user_id for registration in found]
        for start in range(0, len(ids), AT_ONCE):
            yield replace(task, people=tuple(ids[start : start + AT_ONCE]), after=0)
        if after is None:
            return
    yield replace(task, after=after)


# Whether there is still something to tell


def occasion_of(notice: Notice) -> Occasion | None:
    """What people are to be told about a notice, as things are now; None where that is nothing any more."""
    what, data = notice["type"], notice["data"]
    if what == "registration.cancelled":
        return _of_a_deleted(data)
    whole = models.find(data["eventId"])
    if whole is None or whole.event.incarnation != notice["id"].split(".")[1]:
        return None
    event = whole.event
    if what == "event.changed":
        return _of_a_change(event, data)
    if what == "event.cancelled":
        return Occasion(OFF, event, {}) if event.status == CANCELLED and not _is_past(event.date) else None
    return Occasion(PROMOTED, event, {}) if event.status in OPEN_STATUSES and not _is_past(event.date) else None


def _of_a_deleted(data: dict[str, Any]) -> Occasion | None:
    told = data["event"]
    if told.get("status", "published") not in OPEN_STATUSES or _is_past(told["date"]):
        return None
    known = {attribute.attr_name: name for name, attribute in Event.get_attributes().items()}
    return Occasion(DELETED, Event(**{known[name]: value for name, value in told.items() if name in known}), {})


def _of_a_change(event: Event, data: dict[str, Any]) -> Occasion | None:
    before = {name: value for name, value in data["previous"].items() if name in TOLD and value != _now(event, name)}
    if event.status not in OPEN_STATUSES or (_is_past(event.date) and _is_past(before.get("date", event.date))):
        return None
    if data["previous"].get("status") == CANCELLED:
        return Occasion(ON_AGAIN, event, before)
    return Occasion(MOVED, event, before) if before else None


def _now(event: Event, name: str) -> Any:
    attribute = next(one for one, known in Event.get_attributes().items() if known.attr_name == name)
    return getattr(event, attribute)


def _is_past(day: str) -> bool:
    """Whether a day is over everywhere on Earth."""
    return date.fromisoformat(day) < date.fromisoformat(clock.now()[:10]) - timedelta(days=1)


# One person


def _mail(notice: Notice, occasion: Occasion, user_id: str) -> bool:
    """Mail one person, once. Returns: False where that is to be tried again."""
    user = _recipient(notice, occasion, user_id)
    if user is None:
        return True
    marker = Marker(notice["id"], user_id)
    standing = marker.claim()
    if standing is Standing.OURS:
        return _send_once(occasion, user, marker)
    if standing is Standing.DOUBTFUL:
        observability.count("MailsInDoubt")
    return standing is not Standing.UNDER_WAY


def _recipient(notice: Notice, occasion: Occasion, user_id: str) -> User | None:
    """Who is to be mailed; None where they have no address, do not want it, or have left meanwhile."""
    key = ActiveItem.key_of(notice["data"]["eventId"], user_id)
    user, registration = together((User, user_id), (ActiveItem, *key), consistent=True)
    if user is None or not user.email or not user.notify:
        return None
    ticket = notice["data"].get("ticket")
    is_in = registration is not None and registration.ticket in (None, ticket or registration.ticket)
    return user if is_in or occasion.kind == DELETED else None


def _send_once(occasion: Occasion, user: User, marker: Marker) -> bool:
    from registrations.notices import letters

    try:
        send(letters.compose(occasion, user), str(user.email))
    except NotSent:
        observability.count("MailsFailed")
        with suppress(Unavailable):
            marker.release()
        return False
    except PerhapsSent:
        observability.count("MailsInDoubt")
        return True
    observability.count("MailsSent")
    with suppress(Unavailable):
        marker.keep()
    return True


class NotSent(Exception):
    """SES did not take it."""


class PerhapsSent(Exception):
    """SES did not answer."""


NEVER_ARRIVED = (ConnectTimeoutError, EndpointConnectionError, ParamValidationError, ProxyConnectionError, SSLError)


def send(letter: EmailMessage, address: str) -> None:
    """Send a letter by SES; in a local run keep it as a file. Raises: `NotSent`, `PerhapsSent`."""
    if settings.LOCAL:
        _keep(letter)
        return
    try:
        aws.client("sesv2").send_email(
            FromEmailAddress=settings.MAIL_FROM,
            Destination={"ToAddresses": [address]},
            Content={"Raw": {"Data": letter.as_bytes()}},
        )
    except (ClientError, *NEVER_ARRIVED) as error:
        raise NotSent from error
    except HTTPClientError as error:
        raise PerhapsSent from error
    except BotoCoreError as error:  # before anything was sent: no credentials, no region
        raise NotSent from error


def _keep(letter: EmailMessage) -> None:
    directory = settings.LOCAL_DYNAMODB_DIR / "mail"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{letter['Message-ID'].strip('<>').partition('@')[0]}"
    draft = directory / f".{name}"
    draft.write_bytes(letter.as_bytes())
    draft.rename(directory / f"{name}.eml")
