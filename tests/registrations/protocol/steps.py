"""The protocol's requests as explicit steps: each `yield` is one call of DynamoDB's, or a free choice.

What goes on between two calls is the request's own business and cannot be disturbed; before and after each call
anything may happen. A request knows its name, draws an operation `(name, attempt)` from it, and ends with an answer.
`UNKNOWN` is a 503: it gave up, and nobody is told what became of it.
"""

from collections.abc import Generator
from typing import Any, NamedTuple

from tests.registrations.protocol.items import Op, Past, Record, Row, Rules, Seats

Answer = tuple[Any, ...]
UNKNOWN: Answer = ("unknown",)
NOT_FOUND: Answer = ("registration_not_found", None)

LOST = "lost"
"""What a request learns of a call whose answer did not arrive."""


class Read(NamedTuple):
    """A consistent read of one item."""

    key: Any


class ReadTogether(NamedTuple):
    """A TransactGetItems."""

    keys: tuple[Any, ...]


class Write(NamedTuple):
    """A conditional write of one item. Answered with whether it was done and the item (new, or as it was instead)."""

    key: Any
    rule: str
    arguments: tuple[Any, ...]


class Together(NamedTuple):
    """A TransactWriteItems. Answered as a `Write`, with nothing but whether it was done."""

    parts: tuple[Write, ...]


class Choose(NamedTuple):
    """Something that is left open: a number below `ways`."""

    ways: int


Steps = Generator[Any, Any, Any]

SEATS, EVENT, LEFT = "seats", "event", "left"
"""Keys. `LEFT` is the set of the tickets whose holders left the queue; there is one chunk of them here."""


def row_of(user: str) -> tuple[str, str]:
    return "row", user


def past_of(user: str) -> tuple[str, str]:
    return "past", user


def place_of(ticket: int) -> tuple[str, int]:
    return "place", ticket


AFTER_LOCK = "what is refused under the lock is refused by seats that were read after it"

ATTEMPTS = 3
"""After so many a request gives up, as it would at its deadline."""


def both(rules: Rules, first: Any, second: Any) -> Steps:
    """A BatchGetItem: two reads in either order."""
    if (yield Choose(2)):
        one = yield Read(first)
        return one, (yield Read(second))
    other = yield Read(second)
    return (yield Read(first)), other


def send(call: Write | Together) -> Steps:
    """Send a write until it is answered. Returns: whether it was done, the item, whether an earlier send is open."""
    in_doubt = False
    while (answer := (yield call)) == LOST:
        in_doubt = True
    return (*answer, in_doubt)


def fence(rules: Rules) -> Steps:
    """Make sure that nothing planned before is committed later. Returns: the seats."""
    _, seats, _ = yield from send(Write(SEATS, "fence", ()))
    return seats


def unlock(user: str, op: Op) -> Steps:
    yield from send(Write(row_of(user), "unlock", (op,)))


def settle(rules: Rules, user: str, row: Row, record: Record, past: Past | None, *, leaving: bool) -> Steps:
    """Write what a committed operation means; whoever does it, it happens once, because the lock is the condition.

    Takes: the row as it was when it was locked (nobody changes it but for the lock); an earlier registration of the
    user, None where none was found; whether an earlier leaving may still be appearing.
    """
    op, ticket = record.op, record.ticket
    if record.kind in ("seat", "wait"):
        if past is None and leaving:
            if "an earlier leaving is looked for in one moment" not in rules.without:
                (past,) = yield ReadTogether((past_of(user),))
            else:
                past = yield Read(past_of(user))
        parts: tuple[Write, ...] = (
            Write(row_of(user), "settle_in", (op, ticket, past.ops if past else row.ops)),
            Write(place_of(ticket), "put", (user,)),
        )
        if past:
            parts += (Write(past_of(user), "remove", ()),)
    else:
        parts = (
            Write(row_of(user), "settle_out", (op,)),
            Write(past_of(user), "put_past", (ticket, (*row.ops, op))),
            Write(place_of(ticket), "remove", ()),
        )
        if record.kind == "quit":
            parts += (Write(LEFT, "add", (ticket,)),)
    yield from send(Together(parts))


def resolve(rules: Rules, user: str, row: Row) -> Steps:
    """Get a foreign lock out of the way: finish what was committed under it, or make sure that nothing will be."""
    assert row.lock
    op = row.lock.op
    seats = yield from fence(rules)
    if record := seats.record(op):
        yield from settle(rules, user, row, record, None, leaving=True)
    else:
        yield from unlock(user, op)


def take(rules: Rules, op: Op, user: str, rule: str, *more: Any, earlier: tuple[Op, ...] = ()) -> Steps:
    """Lock a row, under a name of its own for each send: a lock whose answer was lost is not used, for a copy of that
    send may take it again at any time.

    Returns: whether it is ours, the row, and the operation that has locked it, or was sent last.
    """
    while True:
        answer = yield Write(row_of(user), rule, (op, earlier, *more))
        if answer != LOST:
            return (*answer, op)
        if "a lock whose answer was lost is not used" not in rules.without:
            earlier, op = (*earlier, op), (op[0], op[1] + 1)
        else:
            earlier = (*earlier, op)


def register(rules: Rules, name: str, user: str) -> Steps:
    """Take a seat or join the queue."""
    attempt = 0
    while attempt < ATTEMPTS:
        seats = yield Read(SEATS)  # in one call: nobody comes, leaves, and is cleared in the middle of it
        past = yield Read(past_of(user))
        if not _has_room(seats) and (refused := (yield from _refusal(rules, user, seats))):
            return refused
        done, row, op = yield from take(rules, (name, attempt), user, "lock_new")
        attempt = op[1] + 1
        if not done:
            if row.lock is None:
                return "already_registered", None
            yield from resolve(rules, user, row)
            continue
        if "the generation is read before the lock" in rules.without:
            seats = yield Read(SEATS)
        outcome = yield from commit(rules, op, user, row, seats, _admission, past)
        if isinstance(outcome, tuple):
            return outcome
        attempt = outcome
    return UNKNOWN


def _has_room(seats: Seats) -> bool:
    return seats.open and (seats.waitlist or (seats.registered < seats.capacity and not seats.waiting))


def _refusal(rules: Rules, user: str, before: Seats) -> Steps:
    """Why there is no room, without a lock: the row between two looks at the seats, if nobody came or went."""
    row = yield Read(row_of(user))
    seats = yield Read(SEATS)
    if _traffic(before) != _traffic(seats) and "nobody comes or goes during a refusal" not in rules.without:
        return None
    record = seats.record(row.lock.op) if row and row.lock else None
    if record.kind in ("seat", "wait") if record else row and row.ticket:
        return "already_registered", None
    if _has_room(seats):
        return None
    return "event_full" if seats.open else "registration_closed", None


def _traffic(seats: Seats) -> tuple[int, int]:
    """How many have come, and how many have left, ever."""
    return seats.tickets, seats.tickets - seats.registered - seats.waiting


def leave(rules: Rules, name: str, user: str) -> Steps:
    """Give up a seat or a place in the queue."""
    attempt = 0
    while attempt < ATTEMPTS:
        row, seats = yield from both(rules, row_of(user), SEATS)
        if row is None:
            return NOT_FOUND
        if row.lock:
            yield from resolve(rules, user, row)
            attempt += 1
            continue
        done, held, op = yield from take(rules, (name, attempt), user, "lock_active", row.ticket)
        attempt = op[1] + 1
        if not done:
            if held and held.lock:
                yield from resolve(rules, user, held)
            continue
        outcome = yield from commit(rules, op, user, row, seats, _departure)
        if isinstance(outcome, tuple):
            return outcome
        attempt = outcome
    return UNKNOWN


def commit(rules: Rules, op: Op, user: str, row: Row, seats: Seats, plan: Any, past: Past | None = None) -> Steps:
    """Commit by one write of the seats, settle and answer; the row is locked.

    Takes: the seats as they were read before the row was locked; what plans the write.
    Returns: the answer, or the number of the attempt with which to begin anew.
    """
    answer: Any = None
    image, generation = seats, seats.generation
    exact = in_doubt = leaving = False
    while image.record(op) is None:
        call, planned = yield from plan(rules, op, user, row, image, generation)
        if call is None and (planned is None or (image is seats and AFTER_LOCK not in rules.without)):
            image = yield Read(SEATS)  # what was read does not fit together, or is older than the lock
        elif call is None:
            if not in_doubt or "a in_doubt commit is fenced before a refusal" in rules.without:
                yield from unlock(user, op)
                return planned
            image, in_doubt = (yield from fence(rules)), False
        else:
            before, answer = image.records, planned
            exact, image, unsure = yield from send(call)
            in_doubt, exact = in_doubt or unsure, exact and not unsure
            leaving = leaving or any(one.user == user and one.op != op for one in (*before, *image.records))
            del before, unsure
        if image.record(op) is None and image.generation != generation:
            following, outcome = yield from _relock(rules, op, user, in_doubt)
            if following is None:
                return outcome
            op, generation, in_doubt = following, image.generation, False
    if in_doubt and "a in_doubt commit is fenced before it is settled" not in rules.without:
        yield from fence(rules)
    record: Any = image.record(op)
    yield from settle(rules, user, row, record, past, leaving=leaving or _has_somebody_left(rules, seats, image))
    if record.kind == "wait":
        return "waitlisted", image.waiting if exact else None
    if record.kind == "seat":
        return "registered", None
    return "left", answer[1] if record.kind == "hand" else None


def _has_somebody_left(rules: Rules, before: Seats, now: Seats) -> bool:
    known = "nobody has left since it was seen that the user had not" not in rules.without
    return known and _traffic(now)[1] != _traffic(before)[1]


def _relock(rules: Rules, op: Op, user: str, in_doubt: bool) -> Steps:
    """Hold the lock under a new name, because the fence may have been meant for the old one.

    Returns: the name; or None, and how the request ends, or with which attempt it begins anew.
    """
    done, row, following = yield from take(rules, (op[0], op[1] + 1), user, "relock", earlier=(op,))
    if done:
        return following, None
    if in_doubt and (yield from _is_done(rules, user, op, row)):
        return None, ("done",)
    return None, following[1] + 1


def _is_done(rules: Rules, user: str, op: Op, row: Row | None) -> Steps:
    """Somebody broke or settled our lock. Whether a commit of ours was carried out before that: its traces tell."""
    if "traces are looked for in one moment" in rules.without:
        past = yield Read(past_of(user))
    else:
        row, past = yield ReadTogether((row_of(user), past_of(user)))
    return bool((row and op in row.ops) or (past and op in past.ops))


def _admission(rules: Rules, op: Op, user: str, row: Row, seats: Seats, generation: int) -> Steps:
    arguments = (op, user, generation, (yield from _settled(rules, user, seats)))
    if seats.open and seats.registered < seats.capacity and not seats.waiting:
        return Write(SEATS, "seat", arguments), ("registered", None)
    if seats.open and seats.waitlist:
        return Write(SEATS, "wait", arguments), ("waitlisted", None)
    return None, ("event_full" if seats.open else "registration_closed", None)


def _departure(rules: Rules, op: Op, user: str, row: Row, seats: Seats, generation: int) -> Steps:
    arguments = (op, user, generation, (yield from _settled(rules, user, seats)), row.ticket)
    if seats.served < row.ticket:
        return Write(SEATS, "quit", arguments), ("left", None)
    if not (seats.open and seats.registered <= seats.capacity and seats.waiting):
        return Write(SEATS, "free", arguments), ("left", None)
    ahead = yield from heads(rules, seats, 1)
    if ahead is None:
        return None, None
    promoted = yield from _holder(rules, seats, ahead[0])
    if promoted is None:
        return None, None
    return Write(SEATS, "hand", (*arguments, ahead[0], seats)), ("left", promoted)


def _settled(rules: Rules, user: str, seats: Seats) -> Steps:
    """The operations whose records may go: the earlier ones of a user whose row we hold, for they are settled; and
    where there is no room otherwise, another one, if its row bears witness. For a process that is gone it is settled.
    """
    own = tuple(record.op for record in seats.records if record.user == user)
    if own or len(seats.records) < seats.room:
        return own
    record = seats.records[0]
    if "what makes room is settled" in rules.without:
        return (record.op,)
    row, past = yield from both(rules, row_of(record.user), past_of(record.user))
    if row and row.lock and row.lock.op == record.op:
        yield from resolve(rules, record.user, row)
    return (record.op,) if any(one and record.op in one.ops for one in (row, past)) else ()


def heads(rules: Rules, seats: Seats, count: int) -> Steps:
    """The next tickets in line, by arithmetic; None where what was read does not fit together."""
    quits = yield from quitters(rules, seats)
    if quits is None:
        return None
    return tuple(ticket for ticket in range(seats.served + 1, seats.tickets + 1) if ticket not in quits)[:count]


def quitters(rules: Rules, seats: Seats) -> Steps:
    """The tickets that left the queue, as of the moment of these seats; None where it cannot be told."""
    if not seats.quits:
        return frozenset()
    stored = yield Read(LEFT)
    found = frozenset(record.ticket for record in seats.records if record.kind == "quit") | (stored or frozenset())
    if "the tickets that quit are as many as were counted" in rules.without:
        return found
    return found if len(found) == seats.quits else None


def _holder(rules: Rules, seats: Seats, ticket: int) -> Steps:
    for record in seats.records:
        if record.ticket == ticket and record.kind == "wait":
            return record.user
    return (yield Read(place_of(ticket)))


def look(rules: Rules, name: str, user: str) -> Steps:
    """Read one's registration."""
    for _ in range(ATTEMPTS):
        row, seats = yield from both(rules, row_of(user), SEATS)
        if row and row.lock:
            record = seats.record(row.lock.op)
            if record and record.kind in ("free", "quit", "hand"):
                return "cancelled", None
            if record:
                row = row._replace(ticket=record.ticket)
            elif not (yield from _is_still(rules, user, row)):
                continue
        if row is None or not row.ticket:
            return (yield from _look_back(rules, user, row))
        if row.ticket <= seats.tickets and (answer := (yield from _standing(rules, row.ticket, seats))):
            return answer
    return UNKNOWN


def _is_still(rules: Rules, user: str, row: Row) -> Steps:
    """Whether a row is still locked, so that its record cannot have been cleared before the seats were read."""
    if "a locked row is read again" in rules.without:
        return True
    again = yield Read(row_of(user))
    return again is not None and again.lock == row.lock


def _standing(rules: Rules, ticket: int, seats: Seats) -> Steps:
    """What a ticket stands for at the moment of these seats; None where it is one that quit, or it cannot be told."""
    quits = yield from quitters(rules, seats)
    if (quits is None or ticket in quits) and "who has quit has no seat" not in rules.without:
        return None
    if ticket <= seats.served:
        return "registered", None
    above = sum(other > ticket for other in quits or ())
    return "waitlisted", seats.waiting - (seats.tickets - ticket) + above


def _look_back(rules: Rules, user: str, row: Row | None) -> Steps:
    if "what is missing is looked for in one moment" in rules.without:
        past = yield Read(past_of(user))
    else:
        row, past = yield ReadTogether((row_of(user), past_of(user)))
    if row and row.ticket:
        return UNKNOWN
    return ("cancelled", None) if past else ("none", None)


def edit(rules: Rules, name: str, capacity: int, is_open: bool = True, waitlist: bool = True) -> Steps:
    """Change the capacity, or close or open the event; whoever is due has a seat in the same moment."""
    for attempt in range(ATTEMPTS):
        event, seats = yield from both(rules, EVENT, SEATS)
        op = name, attempt
        if event.settings != seats.settings:
            continue
        people = min(max(0, capacity - seats.registered), seats.waiting) if is_open else 0
        ahead: tuple[int, ...] | None = ()
        if people and people < seats.waiting:
            ahead = yield from heads(rules, seats, people)
            if ahead is None:
                continue
        served = ahead[-1] if ahead else seats.tickets if people else seats.served
        parts = (
            Write(EVENT, "describe", (op, event.version)),
            Write(SEATS, "edit", (op, (capacity, is_open, waitlist), seats, people, served)),
        )
        done, _, in_doubt = yield from send(Together(parts))
        if done:
            return "event", event.version + 1, capacity, None, None
        if in_doubt:  # it may have been done by the send whose answer was lost, and another edit may have come after it
            event = yield Read(EVENT)
            return ("done",) if event.op == op else UNKNOWN
    return UNKNOWN


def read_event(rules: Rules, name: str) -> Steps:
    """Read the event: both halves."""
    for _ in range(ATTEMPTS):
        event, seats = yield from both(rules, EVENT, SEATS)
        if event.settings == seats.settings or "both halves are of the same settings" in rules.without:
            return "event", event.version, seats.capacity, seats.registered, seats.waiting
    return UNKNOWN


def sweep(rules: Rules, name: str) -> Steps:
    """Clear the oldest record, after a look at its row; finish the operation where that has not been done."""
    seats = yield Read(SEATS)
    if not seats.records:
        return ("swept",)
    record = seats.records[0]
    if "what is cleared is settled" not in rules.without and (yield from _is_held(rules, record)):
        return ("swept",)
    yield from send(Write(SEATS, "clear", (record.op,)))
    return ("swept",)


def _is_held(rules: Rules, record: Record) -> Steps:
    """Whether an operation is not settled, or not visibly, after whoever left it unsettled was helped."""
    user = record.user
    row = yield Read(row_of(user))
    if row and row.lock and row.lock.op == record.op:
        if "a helper fences before it settles" in rules.without:
            yield from settle(rules, user, row, record, None, leaving=True)
        else:
            yield from resolve(rules, user, row)
    if "what is cleared is settled as a whole" not in rules.without:
        row, _ = yield ReadTogether((row_of(user), past_of(user)))
    else:
        row = yield Read(row_of(user))
    return bool(row and row.lock and row.lock.op == record.op)


PROGRAMS = {
    "register": register,
    "leave": leave,
    "look": look,
    "edit": edit,
    "event": read_event,
    "sweep": sweep,
}


def recover(rules: Rules, user: str) -> Steps:
    """What the next request about a user does first, when all others are gone."""
    row = yield Read(row_of(user))
    if row and row.lock:
        yield from resolve(rules, user, row)
