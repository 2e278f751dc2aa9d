"""The initial items of a scenario, and the invariants at its end."""

from collections.abc import Mapping
from typing import Any

from events import services
from events.ledger import log
from events.ledger.models import AdmissionQueue, CheckIns, ExitTombstones, Seats
from events.ledger.operations import new_id
from events.whole import WholeEvent
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.steps import (
    BatchGet,
    Draw,
    Get,
    Now,
    Query,
    Steps,
    Transact,
    TransactGet,
    Update,
    Wait,
)
from eventsite.dynamodb.writes import Transacted, Written
from eventsite.errors import DomainError
from registrations.models import EventTicket, UserRegistration
from registrations.reading import one as reading
from registrations.seating import apply, commit
from registrations.seating.admission_queue import TOGETHER
from registrations.seating.operations import Memory, Request
from tests.api import EVENT as FIELDS
from tests.registrations.protocol.monitor import Broken, Monitor
from tests.registrations.protocol.store import Key, frozen, key_of, thawed, transacted
from users.models import User

EVENT = "event"
CLOSES = "2026-06-01T11:00:00Z"
"""When the window closes, if it does. Most servers' clocks show 10:00 (`search.NOW`), the late ones' 12:00."""
AGAIN = "again"
"""The tag of a user who is created again. The first ones have none."""
AT = "2026-01-01T00:00:00.000000Z"
SEATS_KEY: Key = (Seats.Meta.table_name, EVENT, Seats.ITEM)


def described(capacity: int, **fields: Any) -> WholeEvent:
    """Return an event and its seats."""
    names = ("title", "description", "date", "location", "organizer")
    known = {name: FIELDS[name] for name in names} | {"event_id": EVENT, "capacity": capacity}
    whole = services.compose(known | fields, None)
    whole.event.created_at = whole.event.updated_at = AT
    return whole


def stored(scenario: Any) -> dict[Key, str]:
    """Return the initial items of a scenario."""
    seated, capacity = scenario.crowd + scenario.seated, scenario.capacity + len(scenario.crowd)
    status = "published" if scenario.is_open else "draft"
    event, seats = described(capacity, status=status, waitlist_enabled=scenario.waitlist)
    if scenario.closes:
        event.registration_closes_at, seats.closes_at = CLOSES, clock.in_seconds(CLOSES)
    event.incarnation = seats.incarnation = "incarnation"
    records: list[BaseModel] = [event, seats, *(User(user, name=user, created_at=AT, tag=None) for user in "uvw")]
    people = [(user, "past") for user in scenario.past]
    people += [(user, "seated") for user in seated] + [(user, "waiting") for user in scenario.waiting]
    for ticket, (user, kind) in enumerate(people, 1):
        records += _registered(seats, user, ticket, kind)
    seats.registered, seats.waiting = len(seated), len(scenario.waiting)
    seats.seated_through, seats.tickets = len(scenario.past) + len(seated), len(people)
    seats.left = len(scenario.past)
    first = len(scenario.past) + 1
    for ticket, user in enumerate(scenario.crowd, first):
        seats.log_entries[log.name_of(new_id(AT, ticket), user, "")] = ticket
    if scenario.crowd:
        records.append(AdmissionQueue(*AdmissionQueue.key_of(seats), entered=TOGETHER, expires_at=0))
    return {key_of(record): str(frozen(dict(record.serialize()))) for record in records}


def _registered(seats: Seats, user: str, ticket: int, kind: str) -> list[BaseModel]:
    known: dict[str, Any] = {"ticket": ticket, "waited": kind == "waiting", "incarnation": seats.incarnation}
    known |= {"registration_id": f"registration-{ticket}", "registered_at": AT}
    left = kind == "past"
    row = UserRegistration(*UserRegistration.key_of(EVENT, user), active=not left, **known)
    row.operations = new_id(AT, ticket)
    line = EventTicket.key_of(EVENT, seats.incarnation, ticket, cancelled=left)
    return [row, EventTicket(*line, user_id=user, **known)]


def check_rest(items: Mapping[Key, str], monitor: Monitor) -> None:
    """Check the stored items after all requests have ended.

    Raises:
        Broken: An invariant does not hold.
    """
    found = _Table(items)
    for user in monitor.users:
        if found.standing(user) != monitor.standing(user):
            raise Broken(f"at rest {user} reads {found.standing(user)}, not {monitor.standing(user)}", "at rest")
    seats = found.seats
    entries = log.of(seats) if seats else []
    undone = [entry.ticket for entry in entries if not entry.leaving and not found.is_applied(entry)]
    for entry in entries:
        found.run(commit.recover(seats, entry, Request(EVENT, "", EVERYTHING, memory=Memory())))
    for wrong in _wrong(found, monitor.without_erased(undone)) if monitor.exists else ():
        raise Broken(f"at rest: {wrong}", "at rest")


def _wrong(found: "_Table", monitor: Monitor) -> Any:
    tickets, incarnation = dict(monitor.tickets), found.seats.incarnation
    inside = 0
    for user in monitor.users:
        row = found.get(UserRegistration, *UserRegistration.key_of(EVENT, user))
        row = row if row and row.incarnation == incarnation else None
        inside += bool(row and row.active and row.checked_in_at)
        ticket = int(row.ticket) if row and row.active else None
        if ticket != tickets.get(user):
            yield f"{user} has ticket {ticket} in the registration, not {tickets.get(user)}"
        if bool(row and not row.active) != (user in monitor.seating.past):
            yield f"{user}'s history is {row}"
        if found.standing(user) != monitor.standing(user):
            yield f"{user} reads {found.standing(user)}, not {monitor.standing(user)}"
    counted = found.get(CheckIns, EVENT, CheckIns.name(incarnation))
    if inside != (counted.people if counted else 0):
        yield f"{inside} are checked in, {counted} are counted"
    lines = {int(line.ticket): line.user_id for line in found.all(EventTicket, "ticket#", incarnation)}
    if lines != {ticket: user for user, ticket in monitor.tickets}:
        yield f"the lines are {lines}, the tickets {monitor.tickets}"
    history = {line.user_id for line in found.all(EventTicket, "cancelled#", incarnation)}
    if history != set(monitor.seating.past):
        yield f"the history is of {history}, not of {set(monitor.seating.past)}"
    stored = found.all(ExitTombstones, f"tickets#{incarnation}#exits#")
    exits = {ticket for item in stored for ticket in item.exits}
    if len(exits) != found.seats.waitlist_exits:
        yield f"{found.seats.waitlist_exits} left the queue, {exits} are known"


class _Table:
    """A table in memory on which a rule can run to its end."""

    def __init__(self, items: Mapping[Key, str]) -> None:
        self._items = dict(items)

    def get(self, model: type[BaseModel], *key: str) -> Any:
        text = self._items.get((model.Meta.table_name, *key))
        return model.parse(thawed(text) or {}) if text else None

    def all(self, model: type[BaseModel], prefix: str, incarnation: str = "") -> list[Any]:
        table, inside = model.Meta.table_name, f"#{incarnation}#" if incarnation else ""
        keys = [key for key in self._items if key[0] == table and key[-1].startswith(prefix) and inside in key[1]]
        return [model.parse(thawed(self._items[key]) or {}) for key in keys]

    @property
    def seats(self) -> Any:
        return self.get(Seats, EVENT, Seats.ITEM)

    def is_applied(self, entry: log.LogEntry) -> bool:
        row = self.get(UserRegistration, *UserRegistration.key_of(EVENT, str(entry.user_id)))
        return apply.is_applied_to(row, entry)

    def standing(self, user: str) -> Any:
        try:
            found = self.run(reading.find(EVENT, user, EVERYTHING))
        except DomainError as error:
            return error.code, None
        return found.status, found.position

    def run(self, steps: Steps[Any]) -> Any:
        outcome: Any = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return end.value
            outcome = self._carry_out(step)

    def _carry_out(self, step: Any) -> Any:  # noqa: PLR0911 (a table: what each step is)
        match step:
            case Get():
                return self.get(*step.key)
            case BatchGet() | TransactGet():
                return [self.get(*key) for key in step.keys]
            case Query():
                table, (low, high) = step.model.Meta.table_name, step.between
                keys = [key for key in self._items if key[:2] == (table, step.hash_key) and low <= key[2] <= high]
                found = [step.model.parse(thawed(self._items[key]) or {}) for key in sorted(keys)]
                return found[::-1][: step.newest] if step.newest else found
            case Now():
                return AT
            case Draw() | Wait():
                return 0
            case Update():
                failed = self._write({"": step})
                return Written(not failed, image=thawed(self._items.get(key_of(step.record))), in_doubt=False)
            case Transact():
                failed = self._write(step.parts)
                return Transacted(not failed, {label: thawed(item) for label, item in failed.items()})
        raise NotImplementedError(step)

    def _write(self, parts: Any) -> dict[str, str | None]:
        """Write all parts or none, and return the stored items of those that fail."""
        failures, changed = transacted(self._items, parts)
        for key, item in () if failures else changed.items():
            self._items.pop(key, None)
            if item is not None:
                self._items[key] = str(frozen(item))
        return failures
