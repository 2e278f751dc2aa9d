"""Events with their people in order, by our rules, out of records of any service. Whatever is changed is told.

What their rules allowed and ours do not is put right as their users would expect: of several registrations of one user
for one event the one that is best for the user counts; where seats are free while people wait, the first ones get
them; where more have seats than there are, they keep them.
"""

import itertools
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from events.models import DRAFT, OPEN_STATUSES, STATUSES
from events.serializers import EventSerializer
from eventsite import clock
from eventsite.ids import is_id
from registrations.models import CANCELLED, REGISTERED, WAITLISTED
from registrations.transfer import adapters, moments
from registrations.transfer.adapters import Moving
from registrations.transfer.files import Record

RESERVED = frozenset({"me"})
LONGEST_ID, HASH_DIGITS = 128, 8
REGISTRATION_IDS = uuid.UUID("3f0b8f0e-8a54-4c35-9a3e-6f1d1b0f7c55")
SWITCHES = ("waitlistEnabled", "hasWaitlist", "waitlist_enabled")
COUNTS = {
    REGISTERED: ("registeredCount", "registered_count", "registeredAttendeesCount", "registered"),
    WAITLISTED: ("waitlistCount", "waitlist_count", "waiting"),
}
BEST_FIRST = (REGISTERED, WAITLISTED, CANCELLED)


@dataclass
class Attendee:
    """A registration that fits our rules."""

    user_id: str
    status: str
    registration_id: str
    registered_at: str
    promoted_at: str | None = None
    cancelled_at: str | None = None


@dataclass
class EventToBe:
    """An event as it shall be here."""

    event_id: str
    fields: dict[str, Any]
    """Validated, by their Python names, as `events.services.compose` takes them."""
    organizer_id: str | None
    created_at: str
    updated_at: str
    version: int
    attendees: dict[str, list[Attendee]]
    """By status; those who wait in the order of the queue, the others in the order of registration."""


@dataclass
class Moved:
    """What is ready to be written, and what has to be told about it."""

    events: list[EventToBe] = field(default_factory=list)
    users: dict[str, Record] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What was changed."""
    left_out: list[str] = field(default_factory=list)
    """What cannot be here, and why."""


def assemble(records: Iterable[Record]) -> Moved:
    """All that a set of records tells, put together. They may come in any order and from several files."""
    return _Assembly(records).moved


class _Assembly:
    def __init__(self, records: Iterable[Record]) -> None:
        self.moved = Moved()
        self._now = clock.now()
        self._told_ids: set[str] = set()
        self._numbers = itertools.count()
        self._events: dict[str, Record] = {}
        self._halves: dict[str, Record] = {}
        self._registrations: dict[str, dict[str, list[Moving]]] = {}
        for record in records:
            self._sort_in(record)
        self._assemble()

    def _sort_in(self, record: Record) -> None:
        if not adapters.is_known(record):
            self.moved.left_out.append(f"Not recognised: {', '.join(sorted(record))[:100]}.")
        for found in adapters.moving(record):
            if found.kind == adapters.USER:
                self._add_user(found.values)
            elif found.kind == adapters.EVENT:
                event_id = self._fitting("event", found.values["eventId"])
                (self._events if found.complete else self._halves).setdefault(event_id, {}).update(found.values)
            else:
                event_id = self._fitting("event", found.values["eventId"])
                user_id = self._fitting("user", found.values["userId"])
                found.order = (*found.order, next(self._numbers))
                self._registrations.setdefault(event_id, {}).setdefault(user_id, []).append(found)

    def _fitting(self, kind: str, id_of_theirs: Any) -> str:
        """An id by our rule: the same where it is one already, else one that is made of it, always the same."""
        theirs = str(id_of_theirs)
        if is_id(theirs) and theirs not in RESERVED:
            return theirs
        digest = sha256(theirs.encode()).hexdigest()[:HASH_DIGITS]
        readable = re.sub(r"[^A-Za-z0-9_-]+", "-", theirs)[: LONGEST_ID - HASH_DIGITS - 1]
        ours = f"{readable}-{digest}"
        if ours not in self._told_ids:
            self._told_ids.add(ours)
            self.moved.notes.append(f"The {kind} {theirs} is called {ours} here.")
        return ours

    def _add_user(self, values: Record) -> None:
        user_id = self._fitting("user", values["userId"])
        name = str(values.get("name") or "").strip()[:200] or user_id
        self.moved.users[user_id] = {
            "userId": user_id,
            "name": name,
            "email": values.get("email"),
            "notify": values.get("notify"),
            "createdAt": moments.moment(values.get("createdAt")) or self._now,
        }

    def _assemble(self) -> None:
        for event_id, values in self._events.items():
            people = self._registrations.pop(event_id, {})
            event = self._event(event_id, self._halves.pop(event_id, {}) | values, len(people))
            if event:
                self._admit(event, values, people)
                self.moved.events.append(event)
        for event_id in self._halves:
            self.moved.left_out.append(f"Event {event_id}: its description is in none of the files.")
        for event_id, people in self._registrations.items():
            self.moved.left_out.append(
                f"{len(people)} registrations for event {event_id}, which is in none of the files."
            )

    # Events

    def _event(self, event_id: str, values: Record, people: int) -> EventToBe | None:
        serializer = EventSerializer(data={"eventId": event_id} | self._body(event_id, values))
        if not serializer.is_valid():
            wrong = "; ".join(f"{name}: {' '.join(map(str, told))}" for name, told in serializer.errors.items())
            behind = f", and with it {people} registrations" if people else ""
            self.moved.left_out.append(f"Event {event_id}{behind}. {wrong}")
            return None
        created_at = moments.moment(values.get("createdAt"))
        return EventToBe(
            event_id,
            dict(serializer.validated_data),
            organizer_id=values.get("organizerId"),
            created_at=created_at or self._now,
            updated_at=moments.moment(values.get("updatedAt")) or created_at or self._now,
            version=int(values.get("version") or 1),
            attendees={status: [] for status in BEST_FIRST},
        )

    def _body(self, event_id: str, values: Record) -> Record:
        """The body that would make such an event, were it sent to us."""
        title = values.get("title") or values.get("eventName")
        body = {name: values.get(name) for name in ("location", "capacity", "startTime", "endTime", "timeZone")}
        body |= {"title": title, "description": values.get("description"), "organizer": values.get("organizer")}
        body |= self._day(event_id, str(values.get("date") or values.get("eventDate") or ""))
        body["status"] = self._status(event_id, str(values.get("status") or ""))
        body["waitlistEnabled"] = next((values[name] for name in SWITCHES if values.get(name) is not None), False)
        for name, instead in (("description", title), ("organizer", values.get("organizerId"))):
            if not body[name] and instead:
                body[name] = instead
                self.moved.notes.append(f"Event {event_id} has no {name}; it says {instead} now.")
        return {name: value for name, value in body.items() if value is not None}

    def _day(self, event_id: str, text: str) -> Record:
        try:
            date, time = moments.day(text)
        except ValueError:
            return {"date": text}  # which will be refused
        if time:
            self.moved.notes.append(f"Event {event_id} is on {date} at {time['startTime']} UTC: it was {text}.")
        return {"date": date, **time}

    def _status(self, event_id: str, text: str) -> str:
        status = text.strip().lower()
        if status in STATUSES:
            return status
        self.moved.notes.append(
            f"Event {event_id} is a draft: it was {text or 'without a status'}, which is none of ours."
        )
        return DRAFT

    # People

    def _admit(self, event: EventToBe, values: Record, people: dict[str, list[Moving]]) -> None:
        chosen = [(user_id, self._best(event, user_id, theirs)) for user_id, theirs in people.items()]
        for user_id, one in sorted(chosen, key=lambda pair: pair[1].order):
            attendee = self._attendee(event, user_id, one)
            if attendee.status == CANCELLED and attendee.registered_at < event.created_at:
                continue  # of an event that was deleted and made anew under its id
            event.attendees[attendee.status].append(attendee)
            if user_id not in self.moved.users:
                self._add_user({"userId": user_id})
                self.moved.notes.append(f"User {user_id} was in none of the files, and is called by the id.")
        self._compare(event, values)
        self._move_up(event)

    def _best(self, event: EventToBe, user_id: str, theirs: list[Moving]) -> Moving:
        """Of several registrations of one user for one event, the one that is best for the user."""
        ranked = sorted(theirs, key=lambda one: (BEST_FIRST.index(_status_of(one)), one.order))
        distinct = {one.values.get("registrationId") or repr(one.values) for one in theirs}
        if len(distinct) > 1 and _status_of(ranked[0]) != CANCELLED:
            self.moved.notes.append(
                f"{user_id} was {len(distinct)} times in event {event.event_id}; {_status_of(ranked[0])} counts."
            )
        return ranked[0]

    def _attendee(self, event: EventToBe, user_id: str, one: Moving) -> Attendee:
        values = one.values
        registered_at = moments.moment(values.get("registeredAt")) or event.created_at
        left = _status_of(one) == CANCELLED
        return Attendee(
            user_id,
            _status_of(one),
            registration_id=_registration_id(values.get("registrationId")),
            registered_at=registered_at,
            promoted_at=moments.moment(values.get("promotedAt")),
            cancelled_at=(moments.moment(values.get("cancelledAt")) or registered_at) if left else None,
        )

    def _compare(self, event: EventToBe, values: Record) -> None:
        """Tell where the counters that came along are wrong."""
        for status, names in COUNTS.items():
            told = next((values[name] for name in names if isinstance(values.get(name), int)), None)
            there = len(event.attendees[status])
            if told is not None and told != there and (there or told):
                self.moved.notes.append(f"Event {event.event_id}: its count said {told} {status}; there are {there}.")
        over = len(event.attendees[REGISTERED]) - event.fields["capacity"]
        if over > 0:
            self.moved.notes.append(f"Event {event.event_id} was oversold by {over}; they keep their seats.")

    def _move_up(self, event: EventToBe) -> None:
        """Give the seats that are free to those who wait, as the rule is here."""
        seated, waiting = event.attendees[REGISTERED], event.attendees[WAITLISTED]
        free = max(0, event.fields["capacity"] - len(seated)) if event.fields["status"] in OPEN_STATUSES else 0
        lucky, event.attendees[WAITLISTED] = waiting[:free], waiting[free:]
        for attendee in lucky:
            attendee.status, attendee.promoted_at = REGISTERED, self._now
            seated.append(attendee)
        if lucky:
            names = ", ".join(attendee.user_id for attendee in lucky)
            self.moved.notes.append(f"Event {event.event_id} had free seats while people waited; they went to {names}.")


def _status_of(one: Moving) -> str:
    status = str(one.values.get("status") or REGISTERED).lower()
    return status if status in BEST_FIRST else REGISTERED


def _registration_id(theirs: Any) -> str:
    """A UUID: theirs, or one that is made of it."""
    if not theirs:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(str(theirs)))
    except ValueError:
        return str(uuid.uuid5(REGISTRATION_IDS, str(theirs)))


def people_of(event: EventToBe) -> Iterator[Attendee]:
    """Everybody who has a seat, then everybody who waits: the order of their tickets."""
    yield from event.attendees[REGISTERED]
    yield from event.attendees[WAITLISTED]
