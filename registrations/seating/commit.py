"""Commit an operation: one conditional write of the seats, which takes effect once even if answers are lost.

    1  read the seats; if their log has an entry of this user, apply it first
    2  then read the registration, consistently: the operation that changed it last is its tag
    3  update the seats if the user's epoch is unchanged, the rule holds and the log has room:
       epoch + 1, counters, log entry with the tag
    4  apply: one transaction, if the registration still has that tag; any request may do this

If the answer of a commit was lost, its log entry shows that it happened, and the moved epoch prevents a second one.
A process that crashes before step 3 leaves nothing behind. After step 3, the next request applies the entry.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from events.ledger import log
from events.ledger.log import LogEntry
from events.ledger.models import Intent, Seats
from events.services import EventNotFound
from eventsite import clock
from eventsite.dynamodb.reads import Key
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Draw, Now, Put, Steps, Transact, Update
from eventsite.dynamodb.writes import Written
from eventsite.errors import Refused
from registrations.models import UserRegistration
from registrations.seating import apply, guards, rules, trim, undo
from registrations.seating.admission_queue import Turn
from registrations.seating.operations import Request
from registrations.seating.rules import Change

Plan = Callable[[Seats], Steps[Change]]
"""Plans the change of the seats as they are. Raises `Refused` if the rules do not allow it."""
INTENT_SECONDS = 30 * 24 * 3600  # seconds until an intent expires; the nightly audit applies its operation before
PATIENCE = 3  # waits for a free log slot; then an unapplied entry counts as that of a crashed process


class Committed(NamedTuple):
    """A committed operation."""

    seats: Seats
    """The seats right after the commit, or later."""
    entry: LogEntry | None
    """None if the operation is already applied and its entry trimmed."""
    exact: bool = False
    """True if the seats are those right after the commit."""


def needs_intent(request: Request) -> bool:
    """Return True if the log entry is too short for the operation, so that an `Intent` must hold the rest."""
    return bool(request.answers) or request.has_long_id


def commit(request: Request, seats: Seats, row: UserRegistration | None, plan: Plan, turn: Turn) -> Steps[Committed]:
    """Commit an operation.

    Args:
        request: The request, with the id of the operation.
        seats: The seats, read before the registration.
        row: The registration, with no unapplied operation.
        plan: Returns the change for given seats.
        turn: The request's turn in the admission queue.

    Raises:
        Refused: The rules do not allow the operation, by seats that were read after the registration.
        EventNotFound: The event was deleted.
        Conflict: Another operation of the user, or a fence, came first; nothing was written.
    """
    attempt = _Attempt(request, seats, request.before(row, seats), turn)
    if needs_intent(request):
        yield from _store_intent(request, seats)
    while attempt.entry is None:
        yield from attempt.go_on(plan)
        if attempt.is_applied:
            return Committed(attempt.image, None)
    return Committed(attempt.image, attempt.entry, attempt.exact)


class _Attempt:
    """The state of the commit of one operation."""

    def __init__(self, request: Request, seats: Seats, before: str, turn: Turn) -> None:
        self.request, self.seats, self.image, self.turn = request, seats, seats, turn
        self.name = log.name_of(request.operation, request.user_id, before, with_intent=needs_intent(request))
        self.entry: LogEntry | None = None
        self.exact = self.is_applied = False
        self._is_fresh = self._in_doubt = False
        self._waits = 0

    def go_on(self, plan: Plan) -> Steps[None]:
        """Plan and send the commit once, or find out why it cannot be sent."""
        if not self._is_undisturbed():
            yield from self._start_over()  # the epoch has moved: no attempt of this operation can be committed any more
            return
        self.seats = self.image
        try:
            change = yield from plan(self.image)
        except Conflict:
            yield from self._look()
        except Refused as refusal:
            yield from self._check(refusal)
        else:
            yield from self._send(change)

    def _is_undisturbed(self) -> bool:
        """Return True if no operation of the user was committed since the seats were first read.

        The epoch of the user's bucket rose exactly by the operations of other users in the bucket that are in the log.
        """
        bucket = self.seats.bucket_of(self.request.user_id)
        if self.image.incarnation != self.seats.incarnation:
            return False
        before = {entry.operation for entry in log.of(self.seats)}
        others = sum(
            1
            for entry in log.of(self.image)
            if entry.operation not in before and self.image.bucket_of_token(entry.token) == bucket
            if not entry.is_of(self.request.user_id)
        )
        return bool(self.image.epochs[bucket] - self.seats.epochs[bucket] == others)

    def _start_over(self) -> Steps[None]:
        if not self._in_doubt:
            raise Conflict(immediate=True)
        row = yield from apply.settled_row(self.request.event_id, self.request.user_id)
        self.is_applied = row is not None and row.was_changed_by(self.request.operation)
        if not self.is_applied:
            incarnations = {self.image.incarnation, row.incarnation if row else None}
            self.request.in_doubt |= incarnations != {self.seats.incarnation}
            raise Conflict(immediate=True)

    def _gone(self) -> EventNotFound:
        self.request.in_doubt |= self._in_doubt
        return EventNotFound()

    def _check(self, refusal: Refused) -> Steps[None]:
        """Raise a refusal if it is final.

        It is final if the seats were read after the registration, and no attempt in doubt can be committed any more.
        """
        if not self._is_fresh:
            yield from self._look()
            return
        if self._in_doubt:
            image = yield from fence(self.image, self.request.user_id)
            if image is not None:
                self._see(image)
            self.is_applied = self.entry is None and (yield from was_applied(self.request, self.request.operation))
            if self.entry or self.is_applied:
                return
        raise refusal

    def _look(self) -> Steps[None]:
        memory = self.request.memory
        others = yield from trim.some_unknown(self.image, memory)
        key: Key = (Seats, self.seats.event_id, Seats.ITEM)
        (image,) = yield from trim.read_beside((key,), self.image, others, memory)
        if image is None:
            raise self._gone()
        self._is_fresh = True
        self._see(image)

    def _see(self, image: Seats) -> None:
        self.image, self.entry = image, log.find(image, self.request.operation)
        self.request.seen = image

    def _send(self, change: Change) -> Steps[None]:
        memory = self.request.memory
        trimmed = yield from trim.trimmable(self.image, self.request.user_id, memory)
        if trim.is_full(self.image) and not trimmed:
            yield from self._wait_for_room()
            return
        at = (yield Draw(len(trimmed))) if len(trimmed) > 1 else 0
        written: Written = yield rules.write(self.image, change, self.request, self.name, trimmed, at)
        self._in_doubt |= written.in_doubt
        if written.image is None:
            raise self._gone()
        self._is_fresh = True
        self._see(Seats.parse(written.image))
        self.exact = written.done and not self._in_doubt
        if self.entry is None and trim.is_full(self.image):
            yield from self._wait_for_room()

    def _wait_for_room(self) -> Steps[None]:
        """Wait for a log slot. After `PATIENCE` waits, make one: apply an entry, which a crash may have left."""
        if self._waits >= PATIENCE:
            entries = log.of(self.image)
            yield from recover(self.image, entries[(yield Draw(len(entries)))], self.request)
        else:
            self._waits += 1
            yield from self.turn.wait(self.image, self._waits)
        yield from self._look()


def row_after(request: Request, seats: Seats, *more: Key) -> Steps[list[Any]]:
    """Return the registration and more items, read after the seats.

    The same call reads the items of some other log entries, so that a commit can trim them.

    Args:
        request: The request.
        seats: The seats.
        more: The keys of the other items.

    Raises:
        Conflict: The user had an unapplied operation. It is applied now; read again.
    """
    others = yield from trim.some_unknown(seats, request.memory)
    row_key: Key = (UserRegistration, *UserRegistration.key_of(request.event_id, request.user_id))
    items = yield from trim.read_beside((row_key, *more), seats, others, request.memory)
    yield from expect_applied(request, seats, items[0])
    for one in (yield from trim.crashed(others, request.memory.applied(request.event_id))):
        yield from recover(seats, one, request)
    return items


def expect_applied(request: Request, seats: Seats, row: UserRegistration | None) -> Steps[None]:
    """Ensure that the user has no unapplied operation.

    Args:
        request: The request.
        seats: The seats.
        row: The registration.

    Raises:
        Conflict: There was one. It is applied now; read again.
    """
    entry = log.of_user(seats, request.user_id)
    if entry is not None and not apply.is_applied_to(row, entry):
        yield from recover(seats, entry, request)
        raise Conflict(immediate=True)


def _store_intent(request: Request, seats: Seats) -> Steps[None]:
    expires_at = clock.in_seconds((yield Now())) + INTENT_SECONDS
    known: dict[str, Any] = {"user_id": request.user_id, "answers": request.answers, "expires_at": expires_at}
    yield Transact({"intent": Put(Intent(*Intent.key_of(seats, request.operation), **known))})


def fence(seats: Seats, user_id: str) -> Steps[Seats | None]:
    """Make every commit fail that was planned for a user so far, by moving the user's epoch.

    Returns:
        The seats after that, or None if the event was deleted.
    """
    actions = [rules.next_epoch(seats.bucket_of(user_id))]
    incarnation = guards.is_incarnation(seats.incarnation)
    written: Written = yield Update(Seats.key(seats.event_id), actions, incarnation)
    return Seats.parse(written.image) if written.done and written.image else None


def was_applied(request: Request, *operations: str) -> Steps[bool]:
    """Return True if one of some operations is applied, once no transaction writes the registration."""
    row = yield from apply.settled_row(request.event_id, request.user_id)
    return row is not None and any(row.was_changed_by(one) for one in operations)


def finish(request: Request, committed: Committed, row: UserRegistration | None) -> Steps[bool]:
    """Apply a committed operation.

    Args:
        request: The request.
        committed: The operation.
        row: The registration when the operation was planned.

    Returns:
        False if the user was deleted meanwhile, so that the joining is undone and forgotten.
    """
    if committed.entry is None:
        return True
    seats, entry = committed.seats, committed.entry
    while not (yield from apply.apply(seats, entry, request.user_id, row, request.answers)):
        if (yield from undo.undo(seats, entry, request.user_id)):  # or another request has applied it
            return (yield from was_applied(request, entry.operation))
    request.memory.remember(seats.event_id, entry.operation)
    return True


def recover(seats: Seats, entry: LogEntry, request: Request) -> Steps[None]:
    """Apply the operation of another request, which may have crashed.

    A joining whose user was deleted before is undone, because the deletion cannot find it.
    """
    deleted = yield from apply.recover(seats, entry)
    if deleted:
        yield from undo.undo(seats, entry, deleted)
    request.memory.remember(seats.event_id, entry.operation)
