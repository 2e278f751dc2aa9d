"""Assemble events with their registrations from records of any service. Each change is noted.

States that only other services allow are repaired as their users would expect. Of several registrations of one user for
one event, the best one counts. Free seats go to the head of the waitlist. An oversold event stays oversold.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from eventsite import clock
from registrations.models import CANCELLED, REGISTERED, WAITLISTED
from registrations.transfer import adapters, notes, people, planned
from registrations.transfer.adapters import Converted
from registrations.transfer.columns import EVENT, USER
from registrations.transfer.files import Record, Row
from registrations.transfer.notes import Notes
from registrations.transfer.planned import Attendee, PlannedEvent, Refused

COUNTS = {
    REGISTERED: ("registeredCount", "registered_count", "registeredAttendeesCount", "registered"),
    WAITLISTED: ("waitlistCount", "waitlist_count", "waiting"),
}
BEST_FIRST = (REGISTERED, WAITLISTED, CANCELLED)
Shown = Callable[[Iterable[Any], str, int], Iterable[Any]]


@dataclass
class Assembled:
    """The events and users to write, and the report about them."""

    events: list[PlannedEvent] = field(default_factory=list)
    users: dict[str, Record] = field(default_factory=dict)
    """The attributes of each user, by id."""
    notes: Notes = field(default_factory=Notes)
    """The changes, and the records that are left out as expected."""
    refused: list[str] = field(default_factory=list)
    """Sentences on the records that cannot be imported, with place and reason."""


def assemble(rows: Iterable[Row | Record], found: Notes | None = None, shown: Shown = lambda one, *_: one) -> Assembled:
    """Assemble a set of records, in any order and from several files.

    Args:
        rows: The records.
        found: Receives the changes.
        shown: Shows the progress of an iteration: the things, their unit and their number.
    """
    return _Assembly(rows, Notes() if found is None else found, shown).assembled


@dataclass
class _Source:
    """The values of one event or user so far, with the place of its first record."""

    place: str
    values: Record = field(default_factory=dict)


class _Assembly:
    def __init__(self, rows: Iterable[Row | Record], found: Notes, shown: Shown) -> None:
        self.assembled = Assembled(notes=found)
        self._now = clock.now()
        self._changed_ids: set[str] = set()
        self._made_ids: set[str] = set()
        self._registration_ids: set[str] = set()
        self._numbers = itertools.count()
        self._users: dict[str, _Source] = {}
        self._half_users: dict[str, _Source] = {}
        self._events: dict[str, _Source] = {}
        self._half_events: dict[str, _Source] = {}
        self._registrations: dict[str, dict[str, list[Converted]]] = {}
        for number, row in enumerate(rows, 1):
            self._sort_in(row if isinstance(row, Row) else Row(row, f"record {number}"))
        for user_id in shown(self._users | self._half_users, "users read", len(self._users | self._half_users)):
            self._add_user(user_id)
        self._assemble(shown)

    # Sorting

    def _sort_in(self, row: Row) -> None:
        if not adapters.is_known(row):
            names = ", ".join(sorted(row.values))[:100]
            self.assembled.refused.append(
                f"{row.place}: this is no event, user or registration. It has {names or 'nothing'}."
            )
        converted = list(adapters.convert(row))
        if not converted and adapters.is_known(row):
            self.assembled.notes.add(notes.BOOKKEEPING, row.place)
        for found in converted:
            try:
                self._keep(found)
            except Refused as error:
                self.assembled.refused.append(str(error))

    def _keep(self, found: Converted) -> None:
        """Collect a record.

        Raises:
            Refused: It has no usable id.
        """
        if found.kind == USER:
            self._merge(self._users if found.complete else self._half_users, self._user_id(found), found)
        elif found.kind == EVENT:
            self._merge(self._events if found.complete else self._half_events, self._event_id(found), found)
        else:
            event_id, user_id = self._id("event", found), self._user_id(found)
            word = people.text_of(found.values.get("status"))
            if people.is_declined(word):
                self.assembled.notes.add(notes.DECLINED, f"{found.place}: {word}")
                return
            if word and people.status_of(word) is None:
                self.assembled.notes.add(notes.STATUSES, f"{found.place}: {word[:40]!r}")
            found.order = (*found.order, next(self._numbers))  # type: ignore[assignment]
            self._registrations.setdefault(event_id, {}).setdefault(user_id, []).append(found)

    def _merge(self, sources: dict[str, _Source], theirs: str, found: Converted) -> None:
        """Add the values of a record to those of earlier records with the same id."""
        source = sources.setdefault(theirs, _Source(found.place))
        if any(source.values.get(name, value) != value for name, value in found.values.items()):
            self.assembled.notes.add(notes.DIFFERENT, f"{found.place}: {theirs}")
        source.values.update(found.values)

    def _id(self, kind: str, found: Converted) -> str:
        """Return the id of a record in this service.

        Raises:
            Refused: It has none.
        """
        theirs = people.text_of(found.values.get(f"{kind}Id"))
        if not theirs:
            raise Refused(f"{found.place}, column {kind}Id: this {found.kind} has no {kind}Id.")
        return self._fitting(kind, theirs)

    def _fitting(self, kind: str, theirs: str) -> str:
        ours = people.fitting_id(theirs)
        if ours != theirs and ours not in self._changed_ids:
            self._changed_ids.add(ours)
            self.assembled.notes.add(notes.IDS, f"The {kind} {theirs} is called {ours} here.")
        return ours

    def _user_id(self, found: Converted) -> str:
        """Return the id of a user, by default one that is derived from the address."""
        if people.text_of(found.values.get("userId")):
            return self._id("user", found)
        address = people.address_of(found.values.get("email"), found.place, Notes())
        if address is None:
            raise Refused(
                f"{found.place}, column userId: this {found.kind} has neither a userId nor an e-mail address."
            )
        return people.id_of_address(address)

    def _event_id(self, found: Converted) -> str:
        """Return the id of an event, by default one that is derived from its title and date."""
        if people.text_of(found.values.get("eventId")):
            return self._id("event", found)
        title, day = (people.text_of(found.values.get(name)) for name in ("title", "date"))
        base = re.sub(r"[^a-z0-9]+", "-", f"{title} {day}".lower()).strip("-")[:100] or "event"
        made = next(one for one in _numbered(base) if one not in self._made_ids)
        self._made_ids.add(made)
        self.assembled.notes.add(notes.NEW_IDS, f"{found.place}: {made}")
        return made

    # People

    def _add_user(self, user_id: str) -> None:
        half, whole = self._half_users.get(user_id), self._users.get(user_id)
        first = whole or half or _Source(f"user {user_id}")
        values = (half.values if half else {}) | (whole.values if whole else {})
        try:
            self.assembled.users[user_id] = planned.user(user_id, values, first.place, self._now, self.assembled.notes)
        except Refused as error:
            self.assembled.refused.append(str(error))

    # Events

    def _assemble(self, shown: Shown) -> None:
        for event_id, source in shown(self._events.items(), "events read", len(self._events)):
            registrations = self._registrations.pop(event_id, {})
            half = self._half_events.pop(event_id, _Source(""))
            try:
                event = self._event(event_id, _Source(source.place, half.values | source.values))
            except Refused as error:
                self.assembled.refused.append(f"{error}{_behind(registrations)}")
                continue
            self._admit(event, _Source(source.place, half.values | source.values), registrations)
            self.assembled.events.append(event)
        for event_id, source in self._half_events.items():
            self.assembled.refused.append(
                f"{source.place}: the description of event {event_id} is in none of the files."
            )
        for event_id, registrations in self._registrations.items():
            self._leave_behind(event_id, registrations)

    def _leave_behind(self, event_id: str, registrations: dict[str, list[Converted]]) -> None:
        if self.assembled.events:
            self.assembled.notes.add(notes.ORPHANS, f"{len(registrations)} for event {event_id}")
        else:
            self.assembled.refused.append(
                f"{next(iter(registrations.values()))[0].place}: the event {event_id} is in none of the files, and "
                f"{len(registrations)} registrations are for it. Import the events in the same command."
            )

    def _event(self, event_id: str, source: _Source) -> PlannedEvent:
        values = source.values
        organizer_id = people.text_of(values.get("organizerId")) or None
        ours = {"organizerId": self._fitting("user", organizer_id)} if organizer_id else {}
        return planned.event(event_id, values | ours, source.place, self._now, self.assembled.notes)

    # Registrations

    def _admit(self, event: PlannedEvent, source: _Source, registrations: dict[str, list[Converted]]) -> None:
        chosen = [(user_id, self._best(event, user_id, theirs)) for user_id, theirs in registrations.items()]
        for user_id, one in sorted(chosen, key=lambda pair: pair[1].order):
            attendee = self._attendee(event, user_id, one)
            if attendee.status == CANCELLED and attendee.carried["registered_at"] < event.created_at:
                self.assembled.notes.add(notes.EARLIER, f"{user_id} for event {event.event_id}")
                continue
            event.attendees[attendee.status].append(attendee)
            if user_id not in self.assembled.users:
                self.assembled.users[user_id] = planned.user(user_id, {"name": user_id}, one.place, self._now, Notes())
                self.assembled.notes.add(notes.UNKNOWN_PEOPLE, user_id)
        self._compare(event, source.values)
        for attendee in event.promote(self._now):
            self.assembled.notes.add(notes.MOVED_UP, f"{attendee.user_id} for event {event.event_id}")

    def _best(self, event: PlannedEvent, user_id: str, theirs: list[Converted]) -> Converted:
        """Return the best of several registrations of one user for one event."""
        ranked = sorted(theirs, key=lambda one: (BEST_FIRST.index(_status_of(one)), one.order))
        distinct = {people.text_of(one.values.get("registrationId")) or id(one) for one in theirs}
        if len(distinct) > 1 and _status_of(ranked[0]) != CANCELLED:
            self.assembled.notes.add(
                notes.REPEATED, f"{user_id}: {len(distinct)} for event {event.event_id}; {_status_of(ranked[0])} counts"
            )
        return ranked[0]

    def _attendee(self, event: PlannedEvent, user_id: str, one: Converted) -> Attendee:
        carried = planned.carried(one.values, event, one.place, self.assembled.notes)
        if carried["registration_id"] in self._registration_ids:
            self.assembled.notes.add(notes.TWICE, f"{one.place}: {carried['registration_id']}")
            carried["registration_id"] = planned.registration_id(f"{event.event_id} {user_id}")
        self._registration_ids.add(carried["registration_id"])
        status = _status_of(one)
        carried["cancelled_at"] = (
            (carried.get("cancelled_at") or carried["registered_at"]) if status == CANCELLED else None
        )
        return Attendee(user_id, status, carried)

    def _compare(self, event: PlannedEvent, values: Record) -> None:
        """Note counters in the record that are wrong."""
        for status, names in COUNTS.items():
            count = next((values[name] for name in names if isinstance(values.get(name), int)), None)
            there = len(event.attendees[status])
            if count is not None and count != there:
                self.assembled.notes.add(
                    notes.COUNTS, f"event {event.event_id}: {there} {status}, and the counter said {count}"
                )
        over = len(event.attendees[REGISTERED]) - event.fields["capacity"]
        if over > 0:
            self.assembled.notes.add(notes.OVERSOLD, f"event {event.event_id} by {over}")


def _numbered(base: str) -> Iterator[str]:
    yield base
    yield from (f"{base}-{number}" for number in itertools.count(2))


def _behind(registrations: dict[str, list[Converted]]) -> str:
    return f" {len(registrations)} registrations for it wait for that." if registrations else ""


def _status_of(one: Converted) -> str:
    return people.status_of(people.text_of(one.values.get("status"))) or REGISTERED


def registrations_in(events: Iterable[PlannedEvent]) -> int:
    return sum(len(attendees) for event in events for attendees in event.attendees.values())
