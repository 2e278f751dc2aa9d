"""Assemble events with their registrations from records of any service. Each change is noted.

States that only other services allow are repaired as their users would expect. Of several registrations of one user for
one event, the best one counts. Free seats go to the head of the waitlist. An oversold event stays oversold.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from eventsite.management.operating import with_bar
from eventsite.text.humanize import counted
from registrations.models import CANCELLED, REGISTERED, WAITLISTED
from registrations.transfer import adapters, notes, people, planned
from registrations.transfer.columns import EVENT, USER
from registrations.transfer.notes import Notes
from registrations.transfer.planned import Attendee, PlannedEvent, Refused
from registrations.transfer.sheets import Record, Row

COUNTS = {
    REGISTERED: ("registeredCount", "registered_count", "registeredAttendeesCount", "registered"),
    WAITLISTED: ("waitlistCount", "waitlist_count", "waiting"),
}
BEST_FIRST = (REGISTERED, WAITLISTED, CANCELLED)


def assemble(rows: Iterable[Row | Record], found: Notes | None = None) -> "Assembled":
    """Assemble a set of records, in any order and from several files. `found` receives the changes."""
    assembled = Assembled(Notes() if found is None else found)
    for number, row in enumerate(rows, 1):
        assembled.add(row if isinstance(row, Row) else Row(row, f"record {number}"))
    assembled.finish()
    return assembled


class Assembled:
    """The events and users to write, and the report about them."""

    def __init__(self, found: Notes) -> None:
        self.events: list[PlannedEvent] = []
        self.users: dict[str, Record] = {}
        """The attributes of each user, by id."""
        self.notes = found
        """The changes, and the records that are left out as expected."""
        self.refused: list[str] = []
        """Sentences on the records that cannot be imported, with place and reason."""
        self._changed_ids: set[str] = set()
        self._made_ids: set[str] = set()
        self._registration_ids: set[str] = set()
        self._user_rows = defaultdict[str, list[Row]](list)
        self._event_rows = defaultdict[str, list[Row]](list)
        self._registrations = defaultdict[str, list[Row]](list)

    def add(self, row: Row) -> None:
        """Collect a record of any service."""
        converted = adapters.convert(row)
        if converted is None:
            names = ", ".join(sorted(row.values))[:100] or "nothing"
            self.refused.append(f"{row.place}: this is no event, user or registration. It has {names}.")
        elif not converted:
            self.notes.add(notes.BOOKKEEPING, row.place)
        for found in converted or ():
            with self._refusing():
                self._keep(found)

    def finish(self) -> None:
        """Assemble the events from all records."""
        for user_id, rows in with_bar(self._user_rows.items(), "users read", len(self._user_rows)):
            with self._refusing():
                one = self._merged(user_id, rows)
                self.users[user_id] = planned.user(user_id, one.values, one.place, self.notes)
        for event_id, rows in with_bar(self._event_rows.items(), "events read", len(self._event_rows)):
            one = self._merged(event_id, rows)
            if not one.complete:
                self.refused.append(f"{one.place}: the description of event {event_id} is in none of the files.")
                continue
            registrations = self._registrations.pop(event_id, [])
            waiting = counted(len(registrations), "registration for it waits", "registrations for it wait")
            behind = f" {waiting} for that." if registrations else ""
            with self._refusing(behind):
                event = self._event(event_id, one)
                self.events.append(event)
                self._admit(event, registrations)
                self._compare(event, one.values)
                for attendee in event.promote():
                    self.notes.add(notes.MOVED_UP, f"{attendee.user_id} for event {event_id}")
        for event_id, registrations in self._registrations.items():
            self._leave_behind(event_id, registrations)

    @contextmanager
    def _refusing(self, more: str = "") -> Iterator[None]:
        try:
            yield
        except Refused as error:
            self.refused.append(f"{error}{more}")

    # Records

    def _keep(self, found: Row) -> None:
        """Collect a record of a known kind. Refuse one without a usable id."""
        if found.kind == USER:
            self._user_rows[self._user_id(found)].append(found)
        elif found.kind == EVENT:
            self._event_rows[self._event_id(found)].append(found)
        else:
            event_id, user_id = self._id("event", found), self._user_id(found)
            status = people.status_of(people.text_of(found.values.get("status")), found.place, self.notes)
            if status:
                kept = replace(found, values=found.values | {"userId": user_id, "status": status})
                self._registrations[event_id].append(kept)

    def _merged(self, theirs: str, rows: list[Row]) -> Row:
        """Return one record of several with the same id. Later values count, and those of complete records."""
        known: dict[bool, Record] = {False: {}, True: {}}
        for row in rows:
            values = known[row.complete]
            if any(values.get(name, value) != value for name, value in row.values.items()):
                self.notes.add(notes.DIFFERENT, f"{row.place}: {theirs}")
            values |= row.values
        first = next((row for row in rows if row.complete), rows[0])
        return replace(first, values=known[False] | known[True])

    def _id(self, kind: str, found: Row) -> str:
        """Return the id of a record in this service. Refuse a record without one."""
        theirs = people.text_of(found.values.get(f"{kind}Id"))
        if not theirs:
            raise Refused(f"{found.place}, column {kind}Id: this {found.kind} has no {kind}Id.")
        return self._fitting(kind, theirs)

    def _fitting(self, kind: str, theirs: str) -> str:
        ours = people.fitting_id(theirs)
        if ours != theirs and ours not in self._changed_ids:
            self._changed_ids.add(ours)
            self.notes.add(notes.IDS, f"The {kind} {theirs} is called {ours} here.")
        return ours

    def _user_id(self, found: Row) -> str:
        """Return the id of a user, by default one that is derived from the address."""
        if people.text_of(found.values.get("userId")):
            return self._id("user", found)
        address = people.address_of(found.values.get("email"), found.place, Notes())
        if address is None:
            neither = "has neither a userId nor an e-mail address"
            raise Refused(f"{found.place}, column userId: this {found.kind} {neither}.")
        return people.id_of_address(address)

    def _event_id(self, found: Row) -> str:
        """Return the id of an event, by default one that is derived from its title and date."""
        if people.text_of(found.values.get("eventId")):
            return self._id("event", found)
        title, day = (people.text_of(found.values.get(name)) for name in ("title", "date"))
        base = re.sub(r"[^a-z0-9]+", "-", f"{title} {day}".lower()).strip("-")[:100] or "event"
        names = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
        made = next(name for name in names if name not in self._made_ids)
        self._made_ids.add(made)
        self.notes.add(notes.NEW_IDS, f"{found.place}: {made}")
        return made

    # Events

    def _event(self, event_id: str, one: Row) -> PlannedEvent:
        organizer_id = people.text_of(one.values.get("organizerId"))
        ours: Record = {"organizerId": self._fitting("user", organizer_id) if organizer_id else None}
        if isinstance(listed := one.values.get("organizers"), list):
            ours["organizers"] = [
                self._fitting("user", text) if (text := people.text_of(theirs)) else theirs for theirs in listed
            ]
        return planned.event(event_id, one.values | ours, one.place, self.notes)

    def _leave_behind(self, event_id: str, registrations: list[Row]) -> None:
        if self.events:
            self.notes.add(notes.ORPHANS, f"{len(registrations)} for event {event_id}")
        else:
            people = counted(len(registrations), "registration is", "registrations are")
            self.refused.append(
                f"{registrations[0].place}: the event {event_id} is in none of the files, and {people} for it. "
                "Import the events in the same command."
            )

    def _admit(self, event: PlannedEvent, registrations: list[Row]) -> None:
        """Add the people of an event. Of several registrations of one user, the best one counts."""
        of_user = defaultdict[str, list[Row]](list)
        for row in sorted(registrations, key=lambda row: (BEST_FIRST.index(row.values["status"]), row.order)):
            of_user[row.values["userId"]].append(row)
        for user_id, (best, *others) in of_user.items():
            attendee = self._attendee(event, user_id, best)
            distinct = {people.text_of(row.values.get("registrationId")) or id(row) for row in (best, *others)}
            if len(distinct) > 1 and attendee.status != CANCELLED:
                counts = f"{len(distinct)} for event {event.event_id}; {attendee.status} counts"
                self.notes.add(notes.REPEATED, f"{user_id}: {counts}")
            if attendee.status == CANCELLED and attendee.carried["registered_at"] < event.created_at:
                self.notes.add(notes.EARLIER, f"{user_id} for event {event.event_id}")
                continue
            event.attendees[attendee.status].append(attendee)
            if user_id not in self.users:
                self.users[user_id] = planned.user(user_id, {"name": user_id}, best.place, Notes())
                self.notes.add(notes.UNKNOWN_PEOPLE, user_id)

    def _attendee(self, event: PlannedEvent, user_id: str, one: Row) -> Attendee:
        carried = planned.carried(one.values, event, one.place, self.notes)
        if carried["registration_id"] in self._registration_ids:
            self.notes.add(notes.TWICE, f"{one.place}: {carried['registration_id']}")
            carried["registration_id"] = planned.registration_id(f"{event.event_id} {user_id}")
        self._registration_ids.add(carried["registration_id"])
        cancelled_at = carried.get("cancelled_at") or carried["registered_at"]
        carried["cancelled_at"] = cancelled_at if one.values["status"] == CANCELLED else None
        return Attendee(user_id, one.values["status"], carried)

    def _compare(self, event: PlannedEvent, values: Record) -> None:
        """Note counters in the record that are wrong."""
        for status, names in COUNTS.items():
            count = next((values[name] for name in names if isinstance(values.get(name), int)), None)
            there = len(event.attendees[status])
            if count is not None and count != there:
                self.notes.add(notes.COUNTS, f"event {event.event_id}: {there} {status}, and the counter said {count}")
        over = len(event.attendees[REGISTERED]) - event.fields["capacity"]
        if over > 0:
            self.notes.add(notes.OVERSOLD, f"event {event.event_id} by {over}")


def registrations_in(events: Iterable[PlannedEvent]) -> int:
    return sum(len(attendees) for event in events for attendees in event.attendees.values())
