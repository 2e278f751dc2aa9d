"""What the protocol stores, in the smallest form that still tells right from wrong, and every write with its condition.

A write is a function of one item: it returns the item as it is afterwards, or None where its condition does not hold.
Each condition has a name, and `Rules` may leave some out: the search must then find what goes wrong without them.

What follows from other conditions is not demanded here, though the service may say it as well: nobody waits where a
seat is free (edits promote whoever is due), somebody waits where the head of the queue is who it was, who had a seat
has it (the watermark only rises), the settings are as they were where the version is.
"""

from typing import Any, NamedTuple

Op = tuple[str, int]
"""An attempt of a request: the name of the request and the number of the attempt."""


class Record(NamedTuple):
    """A committed operation, in the seats until it is settled."""

    op: Op
    user: str
    kind: str
    """seat, wait, free, quit or hand."""
    ticket: int


class Seats(NamedTuple):
    """The item that commits everything."""

    capacity: int
    waitlist: bool = True
    open: bool = True
    registered: int = 0
    waiting: int = 0
    tickets: int = 0
    served: int = 0
    quits: int = 0
    generation: int = 0
    settings: int = 1
    records: tuple[Record, ...] = ()
    room: int = 9
    """So many records there may be."""

    def record(self, op: Op) -> Record | None:
        """What an operation committed, while that is remembered."""
        return next((record for record in self.records if record.op == op), None)


class Lock(NamedTuple):
    """Who is about to change a row."""

    op: Op
    kind: str


class Row(NamedTuple):
    """A user's active registration, or the lock of one that may come to be (no ticket)."""

    ticket: int = 0
    ops: tuple[Op, ...] = ()
    lock: Lock | None = None


class Past(NamedTuple):
    """A cancelled registration."""

    ticket: int
    ops: tuple[Op, ...] = ()


class Event(NamedTuple):
    """The description, whose version is the event's."""

    version: int = 1
    settings: int = 1
    op: Op | None = None


class Rules:
    """The writes, by name. `without`: the conditions that are left out."""

    def __init__(self, without: frozenset[str] = frozenset()) -> None:
        self.without = without

    def demand(self, name: str, holds: bool) -> bool:
        """Whether a condition holds, or is left out."""
        return holds or name in self.without

    # The row

    def _is_free(self, row: Row | None, earlier: tuple[Op, ...]) -> bool:
        """Nobody has the lock, or an earlier send of ours, whose answer was lost, has taken it."""
        free = row is None or row.lock is None or row.lock.op in earlier
        return self.demand("a lock is taken only where there is none", free)

    def lock_new(self, row: Row | None, op: Op, earlier: tuple[Op, ...]) -> Row | None:
        free = self._is_free(row, earlier)
        vacant = self.demand("who is registered does not register again", row is None or not row.ticket)
        return (row or Row())._replace(lock=Lock(op, "register")) if free and vacant else None

    def lock_active(self, row: Row | None, op: Op, earlier: tuple[Op, ...], ticket: int) -> Row | None:
        if row is None:
            return None
        free = self._is_free(row, earlier)
        same = self.demand("who leaves still has the ticket that was seen", row.ticket == ticket)
        return row._replace(lock=Lock(op, "leave")) if free and same and row.ticket else None

    def relock(self, row: Row | None, op: Op, earlier: tuple[Op, ...]) -> Row | None:
        if row is None or row.lock is None:
            return None
        own = self.demand("a lock is passed on only by its holder", row.lock.op in earlier)
        return row._replace(lock=row.lock._replace(op=op)) if own else None

    def unlock(self, row: Row | None, op: Op) -> Any:
        if row is None or not self.demand(
            "only the lock that was seen is broken", row.lock is not None and row.lock.op == op
        ):
            return None
        return row._replace(lock=None) if row.ticket else GONE

    def settle_in(self, row: Row | None, op: Op, ticket: int, ops: tuple[Op, ...]) -> Row | None:
        return Row(ticket, (*ops, op), None) if self._is_locked(row, op) else None

    def settle_out(self, row: Row | None, op: Op) -> Any:
        return GONE if self._is_locked(row, op) else None

    def _is_locked(self, row: Row | None, op: Op) -> bool:
        locked = row is not None and row.lock is not None and row.lock.op == op
        return self.demand("a row is settled only while its lock is there", locked)

    # What is written along with a row

    def put(self, old: Any, new: Any) -> Any:
        return new

    def remove(self, old: Any) -> Any:
        return GONE

    def put_past(self, old: Any, ticket: int, ops: tuple[Op, ...]) -> Past:
        return Past(ticket, ops)

    def add(self, numbers: frozenset[int] | None, number: int) -> frozenset[int]:
        return (numbers or frozenset()) | {number}

    # The seats

    def _may_commit(self, seats: Seats, op: Op, generation: int, settled: tuple[Op, ...]) -> bool:
        fresh = self.demand("a commit meets the generation it was planned in", seats.generation == generation)
        room = len(seats.records) < seats.room or any(record.op in settled for record in seats.records)
        return (
            fresh
            and self.demand("a commit is made once", seats.record(op) is None)
            and self.demand("a commit finds room, or makes it", room)
        )

    @staticmethod
    def _committed(seats: Seats, record: Record, settled: tuple[Op, ...], **changes: Any) -> Seats:
        kept = (one for one in seats.records if one.op not in settled)
        return seats._replace(records=tuple(sorted((*kept, record))), **changes)

    def seat(self, seats: Seats, op: Op, user: str, generation: int, settled: tuple[Op, ...]) -> Seats | None:
        holds = (
            self._may_commit(seats, op, generation, settled)
            and self.demand("a seat is taken while the event is open", seats.open)
            and self.demand("a seat is taken while one is free", seats.registered < seats.capacity)
        )
        ticket = seats.tickets + 1
        record = Record(op, user, "seat", ticket)
        changes = {"tickets": ticket, "served": ticket, "registered": seats.registered + 1}
        return self._committed(seats, record, settled, **changes) if holds else None

    def wait(self, seats: Seats, op: Op, user: str, generation: int, settled: tuple[Op, ...]) -> Seats | None:
        must = seats.registered >= seats.capacity or seats.waiting > 0
        holds = (
            self._may_commit(seats, op, generation, settled)
            and self.demand("the queue is joined while the event is open", seats.open)
            and self.demand("the queue is joined while there is one", seats.waitlist)
            and self.demand("the queue is joined while there is no seat", must)
        )
        record = Record(op, user, "wait", seats.tickets + 1)
        changes = {"tickets": seats.tickets + 1, "waiting": seats.waiting + 1}
        return self._committed(seats, record, settled, **changes) if holds else None

    def quit(
        self, seats: Seats, op: Op, user: str, generation: int, settled: tuple[Op, ...], ticket: int
    ) -> Seats | None:
        holds = self._may_commit(seats, op, generation, settled) and self.demand(
            "the queue is left while one waits", seats.served < ticket
        )
        changes = {"waiting": seats.waiting - 1, "quits": seats.quits + 1}
        return self._committed(seats, Record(op, user, "quit", ticket), settled, **changes) if holds else None

    def free(
        self, seats: Seats, op: Op, user: str, generation: int, settled: tuple[Op, ...], ticket: int
    ) -> Seats | None:
        to_nobody = not seats.waiting or not seats.open or seats.registered > seats.capacity
        holds = self._may_commit(seats, op, generation, settled) and self.demand(
            "a seat stays free while it goes to nobody", to_nobody
        )
        changes = {"registered": seats.registered - 1}
        return self._committed(seats, Record(op, user, "free", ticket), settled, **changes) if holds else None

    def hand(
        self,
        seats: Seats,
        op: Op,
        user: str,
        generation: int,
        settled: tuple[Op, ...],
        ticket: int,
        head: int,
        seen: Seats,
    ) -> Seats | None:
        holds = (
            self._may_commit(seats, op, generation, settled)
            and self.demand("a seat is handed on while the event is open", seats.open)
            and self.demand("a seat is handed on while there are enough", seats.registered <= seats.capacity)
            and self.demand("the head of the queue has not been served", seats.served == seen.served)
            and self.demand("the head of the queue has not left", seats.quits == seen.quits)
        )
        changes = {"waiting": seats.waiting - 1, "served": head}
        return self._committed(seats, Record(op, user, "hand", ticket), settled, **changes) if holds else None

    def fence(self, seats: Seats) -> Seats:
        return (
            seats if "a fence moves the generation" in self.without else seats._replace(generation=seats.generation + 1)
        )

    def clear(self, seats: Seats, op: Op) -> Seats:
        return seats._replace(records=tuple(record for record in seats.records if record.op != op))

    def edit(
        self, seats: Seats, op: Op, new: tuple[int, bool, bool], seen: Seats, people: int, served: int
    ) -> Seats | None:
        """Other settings, and the promotions that they make due, at once."""
        capacity, is_open, waitlist = new
        edited = seats._replace(capacity=capacity, open=is_open, waitlist=waitlist, settings=seats.settings + 1)
        if not people:
            due = is_open and seats.waiting and seats.registered < capacity
            return edited if self.demand("an edit promotes whoever is due", not due) else None
        holds = (
            self.demand("an edit promotes as many as fit", seats.registered == seen.registered)
            and self.demand("an edit promotes from where the queue stands", seats.served == seen.served)
            and self.demand("an edit counts who left the queue", seats.quits == seen.quits)
            and self.demand(
                "an edit that promotes all promotes who came last",
                seats.waiting == seen.waiting if people == seen.waiting else seats.waiting >= people,
            )
        )
        return (
            edited._replace(registered=seats.registered + people, waiting=seats.waiting - people, served=served)
            if holds
            else None
        )

    # The description

    def describe(self, event: Event, op: Op, version: int) -> Event | None:
        same = self.demand("an edit meets the version it was planned for", event.version == version)
        return Event(event.version + 1, event.settings + 1, op) if same else None


GONE = "gone"
"""What a write leaves behind that removes its item."""
