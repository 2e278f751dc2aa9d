"""Register: give a user a seat, or a place at the end of the waitlist.

Without contention it takes one read and one transaction over the seats, the registration and its line. The conditions
are that the next ticket and the last operation on the registration are as they were read. If another request comes
first, the operation is committed to the log instead (`registrations.seating.commit`).
"""

from functools import partial
from typing import NamedTuple, NoReturn

from events.ledger import log
from events.ledger.models import Seats
from events.services import EventNotFound, check_access, may_be_seen
from eventsite import clock
from eventsite.dynamodb.reads import Key
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import BatchGet, Get, Now, Steps, retrying
from eventsite.errors import Refused
from eventsite.ids import is_id
from registrations.errors import AlreadyRegistered
from registrations.models import Registration, UserRegistration, first_standing, registration_of
from registrations.reading import one as reading
from registrations.seating import admission, apply, at_once, commit, guards, rules, trim
from registrations.seating.admission_queue import Turn
from registrations.seating.operations import Request
from users.models import User
from users.services import UserNotFound


class _Look(NamedTuple):
    """The input of a plan: the seats, read before the registration or as of the same moment, and the registration."""

    seats: Seats
    row: UserRegistration | None


def register(request: Request) -> Steps[Registration]:
    """Give a user a seat, or a place at the end of the waitlist.

    Raises:
        TakenOver: Another copy has taken the keyed request over. The other exceptions are those of `services.register`.
    """
    turn = Turn(request)
    return (yield from retrying(partial(_attempt, request, turn)))


def _attempt(request: Request, turn: Turn) -> Steps[Registration]:
    before = request.memory.last_look(request.event_id)
    if before is None:
        earlier = request.seen
        before, user, row = yield from _first_look(request, earlier)
        request.first = log.first(user.tag) if user is not None else ""
        if before is not None and user is not None and (yield from _may_join(request, before, row)):
            yield from turn.wait_in_contention(before)
            if not request.at_once and _is_settled(request, row, before, earlier):
                return (yield from _join_by_log(request, _Look(before, row), turn))
            return (yield from _join(request, before, row, turn))
    if before is not None:
        yield from _refuse_before_the_opening(request, before)
    look = yield from _look_closely(request, before)
    return (yield from _join_by_log(request, look, turn))


def _first_look(
    request: Request, earlier: Seats | None
) -> Steps[tuple[Seats | None, User | None, UserRegistration | None]]:
    """Read the seats, the user and the registration in one call.

    The first two are read eventually consistently, so they are no reason to refuse the request.

    Args:
        request: The request.
        earlier: The seats at an earlier read. The same call reads the items of some entries in their log.
    """
    event_id, user_id = request.event_id, request.user_id
    if not (is_id(event_id) and is_id(user_id)):
        return None, None, None
    keys: list[Key] = [(Seats, event_id, Seats.ITEM), *_keys(request)]
    consistent = (UserRegistration,)
    if earlier is None:
        seats, user, row = yield BatchGet(keys, consistent)
    else:
        others = yield from trim.some_unknown(earlier, request.memory)
        seats, user, row = yield from trim.read_beside(keys, earlier, others, request.memory, consistent)
    return seats, user, row


def _may_join(request: Request, seats: Seats, row: UserRegistration | None) -> Steps[bool]:
    is_in = row is not None and row.is_in(seats.incarnation)
    possible = admission.is_possible(seats, request.organizes, clock.in_seconds((yield Now())))
    answered = request.answers is not None or not seats.asks
    return bool(possible and answered and not is_in and request.scope.reaches(seats))


def _refuse_before_the_opening(request: Request, before: Seats) -> Steps[None]:
    """Refuse in one call what comes before the window opens, because many clients ask again and again then.

    It returns if the registration may have to be refused for another reason, or may be possible.

    Raises:
        RegistrationNotOpen: The window has not opened yet.
        RegistrationClosed: The event has been closed.
    """
    now = clock.in_seconds((yield Now()))
    if before.has_opened(now) or request.organizes.reaches(before):
        return
    user, row, seats = yield BatchGet([*_keys(request), (Seats, request.event_id, Seats.ITEM)])
    if user is None or seats is None or not request.scope.reaches(seats) or not may_be_seen(seats, request.scope):
        return
    is_in = row is not None and row.is_in(seats.incarnation)
    if not is_in and log.of_user(seats, request.user_id) is None:
        request.memory.look(seats, admits=admission.is_possible(seats, request.organizes, now))
        admission.check(seats, request.organizes, now)


def _keys(request: Request) -> list[Key]:
    """Return the keys of the user and of the registration."""
    key = UserRegistration.key_of(request.event_id, request.user_id)
    return [(User, request.user_id), (UserRegistration, *key)]


def _look_closely(request: Request, before: Seats | None) -> Steps[_Look]:
    """Read the registration and then the seats, both strongly consistently, so that a refusal is right.

    Args:
        request: The request.
        before: The seats at an earlier moment. If the user's epoch has not moved since, the registration, which is read
            in between, is right for the moment of the seats.

    Raises:
        Refused: The user cannot join; or Missing or Forbidden, if the event, the user or the permission is missing.
        Conflict: The registration may have changed since; read again.
    """
    event_id, user_id = request.event_id, request.user_id
    user = row = seats = None
    if is_id(event_id) and is_id(user_id):
        user, row = yield BatchGet(_keys(request))
        seats = yield Get((Seats, event_id, Seats.ITEM))
    if seats is None or not may_be_seen(seats, request.scope):
        raise EventNotFound
    check_access(seats, request.scope)
    if user is None:
        raise UserNotFound
    request.first = log.first(user.tag)
    now = clock.in_seconds((yield Now()))
    request.memory.look(seats, admits=admission.is_possible(seats, request.organizes, now))
    row = yield from _settled(request, before, seats, row)
    if row is not None and row.is_in(seats.incarnation):
        raise AlreadyRegistered
    yield from _finish_crashed(request, seats)
    rules.joining(seats, request.organizes, now)
    admission.check_answers(seats, request.answers)
    return _Look(seats, row)


def _settled(
    request: Request, before: Seats | None, seats: Seats, row: UserRegistration | None
) -> Steps[UserRegistration | None]:
    """Return the registration as of the moment at which the seats were read.

    Raises:
        Conflict: The registration may have changed since; read again.
    """
    yield from commit.expect_applied(request, seats, row)
    if row is not None and row.incarnation == seats.incarnation and row.ticket > seats.tickets:
        raise Conflict  # a torn transaction: the seats do not show it yet
    if not _is_settled(request, row, seats, before):
        _look_closely_next(request, seats)
    return row


def _finish_crashed(request: Request, seats: Seats) -> Steps[None]:
    """Apply what crashed requests left in the log, before a user is refused or has to wait for a seat.

    One of these requests may hold a seat for a user who was deleted.

    Raises:
        Conflict: There was such an operation. It is applied now; read the seats again.
    """
    if seats.free and not seats.waiting:
        return
    memory = request.memory
    old = yield from trim.crashed(log.of(seats), memory.applied(seats.event_id))
    if not old:
        return
    named = [entry for entry in old if entry.user_id is not None]
    yield from trim.read_beside((), seats, named, memory)
    if left := (yield from trim.crashed(old, memory.applied(seats.event_id))):
        for entry in left:
            yield from commit.recover(seats, entry, request)
        raise Conflict(immediate=True)


def _is_settled(request: Request, row: UserRegistration | None, seats: Seats, before: Seats | None) -> bool:
    """Return True if a registration is right for the moment at which the seats were read.

    The registration may have been read before the seats. It is right nevertheless if the seats were read before it too,
    no operation of the user was committed between these two reads, and none was unapplied.

    Args:
        request: The request.
        row: The registration.
        seats: The seats, read after it.
        before: The seats, read before it; None if they were not.
    """
    if before is None or not seats.is_unchanged_for(request.user_id, before):
        return False
    return all(apply.is_applied_to(row, log.of_user(one, request.user_id)) for one in (before, seats))


def _join(request: Request, seats: Seats, row: UserRegistration | None, turn: Turn) -> Steps[Registration]:
    """Join by one transaction if there is no contention, else by the log."""
    yield from _finish_crashed(request, seats)
    if request.at_once and at_once.is_worthwhile(request, seats, row, (yield Now())):
        made, seats = yield from _join_at_once(request, seats, row, turn)
        if made:
            return made
    request.at_once = False
    (row,) = yield from commit.row_after(request, seats)
    if row is not None and row.is_in(seats.incarnation):
        raise Conflict(immediate=True)  # the next attempt decides whether it is refused
    return (yield from _join_by_log(request, _Look(seats, row), turn))


def _join_at_once(
    request: Request, seats: Seats, row: UserRegistration | None, turn: Turn
) -> Steps[tuple[Registration | None, Seats]]:
    """Join by one transaction.

    Returns:
        The registration, or None if another request came first; and the latest seats that are known.

    Raises:
        Conflict: The transaction of another request held the seats. The request has waited for its turn; read again.
    """
    yield from request.begin()
    try:
        change = rules.joining(seats, request.organizes, clock.in_seconds((yield Now())))
    except Refused:
        return None, seats
    waited = change.value is rules.A_PLACE
    name = log.name_of(request.operation, request.user_id, request.before(row, seats))
    entry = log.joined(name, int(seats.tickets) + 1, waited=waited)
    made = apply.joining(seats, entry, request.user_id, row, request.answers)
    condition = guards.is_next_ticket(seats) & guards.is_last_place(seats) if waited else guards.is_next_ticket(seats)
    change = change._replace(condition=change.condition & condition)
    transacted = yield from at_once.transact(request, seats, change, name, made)
    if transacted.done:
        return _made(made.row, int(seats.waiting) + 1 if waited else None), seats
    if transacted.in_doubt and (yield from at_once.was_executed(request, seats)):
        return (yield from _as_it_was_made(request)), seats
    if "user" in transacted.failures:
        _look_closely_next(request, seats)
    if transacted.in_conflict:
        yield from turn.wait_after_conflict(seats)
    return None, at_once.seats_instead(transacted, seats)


def _join_by_log(request: Request, look: _Look, turn: Turn) -> Steps[Registration]:
    """Join by a commit to the log, and apply it."""
    seats, row = look
    request.at_once = False
    yield from _expect_unchanged(seats, row)
    yield from request.begin()

    def plan(now: Seats) -> Steps[rules.Change]:
        return rules.joining(now, request.organizes, clock.in_seconds((yield Now())))

    committed = yield from commit.commit(request, seats, row, plan, turn)
    if not (yield from commit.finish(request, committed, row)):
        _look_closely_next(request, seats)
    entry = committed.entry
    if entry is None or (entry.waited and not (committed.exact and entry.ticket == committed.seats.tickets)):
        return (yield from _as_it_was_made(request))
    made = apply.joining(seats, entry, request.user_id, row, request.answers)
    return _made(made.row, int(committed.seats.waiting) if entry.waited else None)


def _expect_unchanged(seats: Seats, row: UserRegistration | None) -> Steps[None]:
    """Ensure that a past registration is not just being deleted (`forget_row`), in a transaction that shows in parts.

    The epoch of the seats, which the same transaction moves, may be visible before the deletion of the registration.

    Raises:
        Conflict: It has changed; read again.
    """
    if row is None or row.incarnation != seats.incarnation:
        return
    now = yield from apply.settled_row(row.event_id, row.user_id)
    if UserRegistration.tag(now, seats.incarnation) != UserRegistration.tag(row, seats.incarnation):
        raise Conflict(immediate=True)


def _look_closely_next(request: Request, seats: Seats) -> NoReturn:
    """Let the next attempt read consistently, and compare its seats with these.

    Raises:
        Conflict: Always.
    """
    request.memory.look(seats, admits=False)
    raise Conflict(immediate=True)


def _made(row: UserRegistration, position: int | None) -> Registration:
    return registration_of(row, row.event_id, first_standing(row.waited), position)


def _as_it_was_made(request: Request) -> Steps[Registration]:
    made = yield from reading.as_it_was_made(request.event_id, request.user_id, request.operation)
    return made
