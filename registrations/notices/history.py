"""The history of an event: the changes of its seats, and the sent mails (`GET /events/{eventId}/history`).

It is written from the notices, after the answer of the request, and kept for 400 days. An entry has the id of a user
and no name. The deletion of the user removes the id from it.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any, NamedTuple

from django.conf import settings
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from events.ledger.models import Seats
from events.services import EventNotFound, check_access
from eventsite import clock
from eventsite.auth.scope import Scope
from eventsite.dynamodb.expiring import ExpiringItem
from eventsite.dynamodb.reads import batch_get
from registrations.notices import queue
from registrations.notices.occasions import MESSAGE_NOTICE, Notice, incarnation_of
from registrations.notices.queue import Task
from users.models import User

KEPT_SECONDS = 400 * 24 * 60 * 60
WRITERS = 8  # threads; the role of the Lambda allows no batches, only single puts
SETTLE_SECONDS = 60  # longer than from the read of a notice, before an erasure, to the write of its entry
EVENTS_PER_TASK = 500
ERASURE = "user.erased"
DELETED_PERSON = "a deleted person"

Place = tuple[str, str]
"""An event's id and its incarnation."""


class HistoryEntry(ExpiringItem):
    what = UnicodeAttribute()
    at = UnicodeAttribute()
    user_id = UnicodeAttribute(attr_name="userId", null=True)
    by = UnicodeAttribute(null=True)
    detail = UnicodeAttribute(null=True)
    erased = BooleanAttribute(null=True)
    """True if the user of the entry is deleted."""
    by_erased = BooleanAttribute(attr_name="byErased", null=True)
    """True if the caller is deleted."""
    by_stranger = BooleanAttribute(attr_name="byStranger", null=True)
    """True if no user existed for the caller, as for an organizer who has never read ``/users/me``."""


class Line(NamedTuple):
    """An entry for the API."""

    at: str
    what: str
    user_id: str | None
    by: str | None
    detail: str | None
    cursor: str


# Writing


def record(notices: Sequence[Notice]) -> None:
    """Write the entries of some notices, also of messages. A notice that is delivered twice has one entry.

    Raises:
        Unavailable: If DynamoDB does not answer.
    """
    wanted = [notice for notice in notices if _is_recorded(notice)]
    if not wanted:
        return
    there = _existing(one for notice in wanted for one in (notice.get("subject"), notice["data"].get("by")))
    entries = [_of_notice(notice, there) for notice in wanted]
    with ThreadPoolExecutor(WRITERS) as writers:
        written = [writers.submit(copy_context().run, entry.save) for entry in entries]
    for one in written:
        one.result()


def _of_notice(notice: Notice, there: set[str]) -> HistoryEntry:
    """Return the entry of a notice. `there` has the ids of the users who exist."""
    person, by = notice.get("subject"), notice["data"].get("by")
    what = "message.sent" if notice["type"] == MESSAGE_NOTICE else notice["type"]
    entry = _entry(notice, what, notice["time"], _detail(notice))
    entry.user_id, entry.erased = (person, None) if person in there else (None, True if person else None)
    if by and by == person and entry.erased:
        entry.by_erased = True
    elif by:
        entry.by, entry.by_stranger = by, None if by in there else True
    return entry


def record_mail(notice: Notice, kind: str, user_id: str) -> None:
    """Record a sent mail. An error is ignored, because the mail is sent already."""
    with suppress(*queue.OUTAGES):
        _entry(notice, "mail.sent", clock.now(), kind, user_id).save()


def record_problem(event_id: str, user_id: str, what: str, *, at: str, message: str) -> None:
    """Record a bounce of a mail, or a complaint."""
    seats = Seats.find(event_id)
    if seats:
        notice = {"id": f"{event_id}.{seats.incarnation}.{message}", "data": {"eventId": event_id}}
        _entry(notice, what, at, None, user_id).save()


def _is_recorded(notice: Notice) -> bool:
    """Return False for the deletion of an event, whose history cannot be read any more."""
    return not (notice["type"] == "event.deleted" or notice["data"].get("reason") == "event_deleted")


def _entry(notice: Notice, what: str, at: str, detail: str | None, user_id: str = "") -> HistoryEntry:
    key, at = _partition((notice["data"]["eventId"], incarnation_of(notice))), clock.precise(at)
    values: dict[str, Any] = {"what": what, "at": at, "detail": detail, "user_id": user_id or None}
    item = "#".join((at, notice.get("sequence", ""), notice["id"], user_id))  # in the order of the stream
    return HistoryEntry(key, item, **values, expires_at=clock.seconds() + KEPT_SECONDS)


def _detail(notice: Notice) -> str | None:
    data = notice["data"]
    if data.get("changed"):
        return ", ".join(data["changed"])
    if notice["type"] == MESSAGE_NOTICE:
        return str(data["subject"])
    if notice["type"] != "registration.cancelled":
        return None
    if data.get("by", notice.get("subject")) != notice.get("subject"):
        return "the seat was taken back" if data.get("freedSeat") else "taken off the waitlist"
    return "gave up a seat" if data.get("freedSeat") else "left the waitlist"


def _partition(place: Place) -> str:
    return "#".join(("history", *place))


# Reading


def page(event_id: str, *, scope: Scope, limit: int, after: str | None) -> tuple[list[Line], str | None]:
    """Return one page of the history of an event, the newest entry first.

    Returns:
        The entries, and the cursor to continue after (None on the last page).

    Raises:
        EventNotFound: If there is no such event, or it is hidden from the caller.
        EventNotYours: If the caller does not organize it.
    """
    seats = Seats.find(event_id)
    if seats is None:
        raise EventNotFound
    check_access(seats, scope)
    older = HistoryEntry.item < after if after else None
    key = _partition((event_id, seats.incarnation))
    entries = list(HistoryEntry.query(key, older, scan_index_forward=False, limit=limit + 1))
    shown = [entry for entry in entries[:limit] if entry.expires_at > clock.seconds()]
    there = _existing(one for entry in shown for one in (entry.user_id, entry.by))
    return [_line(entry, there) for entry in shown], entries[limit - 1].item if len(entries) > limit else None


def _line(entry: HistoryEntry, there: set[str]) -> Line:
    is_gone = entry.erased or (entry.user_id is not None and entry.user_id not in there)
    by = entry.by if entry.by in there or entry.by_stranger else None
    is_by_gone = bool(entry.by_erased or entry.by) and by is None and not (is_gone and _is_own(entry))
    words = [DELETED_PERSON if is_gone else None, entry.detail, f"by {DELETED_PERSON}" if is_by_gone else None]
    person, detail = None if is_gone else entry.user_id, ", ".join(filter(None, words)) or None
    return Line(entry.at, entry.what, person, by, detail, str(entry.item))


def _is_own(entry: HistoryEntry) -> bool:
    """Return True if the user of an entry was the caller too, also after the deletion of that user."""
    return bool(entry.by == entry.user_id if entry.by else entry.by_erased and entry.erased)


def _existing(user_ids: Iterable[str | None]) -> set[str]:
    """Return the ids of those users who exist, read strongly consistently."""
    keys = [(User, user_id) for user_id in sorted({*filter(None, user_ids)})]
    return {user.user_id for user in batch_get(*keys, consistent=True) if user}


# Erasing


def forget_person(user_id: str, places: Sequence[Place]) -> None:
    """Remove the id of a deleted user from the history of some events.

    With a queue, it is done after `SETTLE_SECONDS`, because an entry may be about to be written.

    Raises:
        Unavailable: If the queue or DynamoDB does not answer.
    """
    if settings.LOCAL or not settings.NOTICE_QUEUE_URL:
        erase(user_id, places)
        return
    tasks = []
    for start in range(0, len(places), EVENTS_PER_TASK):
        notice = {"id": f"erasure.{user_id}.{start}", "type": ERASURE, "subject": user_id}
        tasks.append(Task(queue.HISTORY, notice | {"data": {"places": places[start : start + EVENTS_PER_TASK]}}))
    queue.send(tasks, seconds=SETTLE_SECONDS)


def deliver(task: Task) -> list[Task]:
    """Execute a task of `forget_person`."""
    erase(task.notice["subject"], map(tuple, task.notice["data"]["places"]))
    return []


def erase(user_id: str, places: Iterable[Place]) -> None:
    """Remove the id of a user from the history of some events. It can be repeated."""
    is_theirs = (HistoryEntry.user_id == user_id) | (HistoryEntry.by == user_id)
    for place in places:
        for entry in HistoryEntry.query(_partition(place), filter_condition=is_theirs, consistent_read=True):
            if entry.user_id == user_id:
                entry.update([HistoryEntry.user_id.remove(), HistoryEntry.erased.set(True)])
            if entry.by == user_id:
                entry.update([HistoryEntry.by.remove(), HistoryEntry.by_erased.set(True)])
