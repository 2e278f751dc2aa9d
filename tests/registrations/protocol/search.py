"""Every order in which the steps of some requests can happen, with crashes, lost answers and late copies in between.

The service's own code runs here: the rules yield steps, which are executed on a store in memory. A state is the
stored items, the position of each request, which copies of writes are still on their way, which transactions are just
becoming visible, how many faults are left, and what the answers so far have promised. States that were seen are not
visited again. A request's next step follows from where it is and what it is sent, so each of its states is computed
once, by sending it again what it was sent, and is a number from then on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from events.ledger.models import Seats
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import (
    BatchGet,
    BatchWrite,
    Delete,
    Draw,
    Get,
    Now,
    Put,
    Query,
    Transact,
    Transacted,
    TransactGet,
    Update,
    Wait,
    WaitForTransactions,
)
from eventsite.dynamodb.writes import Written
from eventsite.errors import Unavailable
from registrations.models import UserRegistration
from tests.registrations.protocol.memory import remembered
from tests.registrations.protocol.monitor import Broken, Monitor
from tests.registrations.protocol.programs import EVENT, PROGRAMS, answering
from tests.registrations.protocol.scene import SEATS_KEY, check_rest, stored
from tests.registrations.protocol.store import Key, frozen, key_of, thawed, transacted, written
from users.models import User

CRASHED = -1
SURE, IN_DOUBT, EXECUTED = range(3)
"""Whether the call of a request may have been executed. `EXECUTED` is for a transaction that was, by its token."""
NOW, LATE = "2026-06-01T10:00:00.000000Z", "2026-06-01T12:00:00.000000Z"
"""What the clocks of the servers show, between which a window may close."""
MOST_OPERATIONS = 3
MOST_OPERATIONS_OF_COPIES = 8
"""After this number of attempts a request gives up, as it would at its deadline."""
MOST_STEPS = 70
NAMES = "ABCDEF"


class Faults(NamedTuple):
    """The number of faults of each kind that may still happen."""

    crashes: int = 0
    lost: int = 0
    late: int = 0
    torn: int = 0


NO_FAULTS = Faults()


@dataclass(frozen=True)
class Scenario:
    """Some concurrent requests for an event with registrations."""

    capacity: int
    requests: tuple[tuple[Any, ...], ...]
    seated: str = ""
    waiting: str = ""
    past: str = ""
    waitlist: bool = True
    is_open: bool = True
    faults: Faults = NO_FAULTS
    at_once: bool = True
    """True if each operation tries one transaction first."""
    closes: bool = False
    """True if the window closes between the times that the clocks of the servers show."""
    crowd: str = ""
    """Further users with a further seat each, whose operations are still in the commit log."""


class State(NamedTuple):
    """The whole state at one moment, made of numbers only."""

    store: int
    requests: tuple[tuple[int, int], ...]
    """The state of each request, and whether its call is in doubt (`SURE`, `IN_DOUBT` or `EXECUTED`)."""
    late: tuple[tuple[int, int], ...]
    """The delayed writes: the request, and the number of the write."""
    under_way: tuple[tuple[int, bool, int], ...]
    """The parts of transactions that are not visible yet: request, True if it waits for the part, and part."""
    faults: Faults
    monitor: int


class Numbers:
    """A numbering in which equal values have equal numbers."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self.things: list[Any] = []

    def of(self, key: Any, thing: Any = None) -> int:
        """Return the number of a key.

        Args:
            key: The key.
            thing: The value, if it is not the key.
        """
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.things)
            self.things.append(key if thing is None else thing)
        return number


class Reads(NamedTuple):
    """Some items that are read at the same moment."""

    keys: tuple[Key, ...]


class Ways(NamedTuple):
    """A free choice."""

    choices: int


class Waiting(NamedTuple):
    """A request that waits for a call, with the call and its continuation."""

    call: Any
    sent: tuple[Any, ...]
    began: Any


class Done(NamedTuple):
    """A request that has answered."""

    answer: Any


def _key(key: Any) -> Key:
    model, *parts = key
    return (model.Meta.table_name, *parts)


def _in_calls(steps: Any, name: str, now: str, most: int) -> Any:
    """Run a request: steps without a call by themselves, and separate reads one by one."""
    outcome: Any = None
    drawn = count = 0
    send = steps.send
    while True:
        try:
            step = send(outcome)
        except StopIteration as end:
            return end.value
        send = steps.send
        count += 1
        if count > MOST_STEPS:
            send, outcome = steps.throw, Unavailable()
        elif isinstance(step, Now):
            outcome = now
        elif isinstance(step, Draw):
            outcome = 0
            if step.ways > 1000:
                drawn += 1
                outcome = NAMES.index(name) * 1000 + drawn
                if drawn > most:
                    send, outcome = steps.throw, Unavailable()
        elif isinstance(step, Wait):
            outcome = step.seconds
        else:
            outcome = yield from _call(step)
            if isinstance(outcome, Conflict):
                send = steps.throw


def _call(step: Any) -> Any:  # noqa: C901, PLR0911 (a table: what each step is)
    match step:
        case BatchWrite():
            parts: list[Put | Delete] = [*map(Put, step.puts), *map(Delete, step.deletes)]
            for part in parts:
                yield Transact({"item": part})
            return None
        case WaitForTransactions():
            return (yield step)
        case Get():
            (text,) = yield Reads((_key(step.key),))
            return step.key[0].parse(thawed(text)) if text else None
        case BatchGet():
            return (yield from _batch(step))
        case TransactGet():
            texts = yield step
            if texts is None:
                return Conflict()
            pairs = zip(step.keys, texts, strict=True)
            return [key[0].parse(thawed(text)) if text else None for key, text in pairs]
        case Query():
            texts = yield step
            return [step.model.parse(thawed(text)) for text in texts]
        case Update():
            done, text, in_doubt = yield step
            return Written(done=done, image=thawed(text), in_doubt=in_doubt)
        case Transact():
            done, failures, in_conflict, in_doubt = yield step
            return Transacted(done, {label: thawed(text) for label, text in failures}, in_conflict, in_doubt)
    raise NotImplementedError(step)


def _batch(step: BatchGet) -> Any:
    """Read the seats and the registrations one after the other, and the rest with the last one."""
    keys = list(dict.fromkeys(_key(key) for key in step.keys))
    apart = [key for key in keys if key[-1] == Seats.ITEM or key[-1].startswith("registration#")][:2]
    rest = tuple(key for key in keys if key not in apart)
    groups: list[tuple[Key, ...]] = [(key,) for key in apart]
    if len(groups) > 1 and (yield Ways(2)):
        groups.reverse()
    groups[-1:] = [(*groups[-1], *rest)] if groups else [rest]
    found: dict[Key, str | None] = {}
    for group in groups:
        texts = yield Reads(group)
        found |= dict(zip(group, texts, strict=True))
    return [key[0].parse(thawed(found[_key(key)])) if found[_key(key)] else None for key in step.keys]


class Automata:
    """The programs of the requests. A state is restored by sending the program the same outcomes again.

    The first time that a state is left, the running program itself continues, because that is faster.
    """

    def __init__(self) -> None:
        self._numbers = Numbers()
        self._running: dict[int, Any] = {}
        self._next: dict[tuple[int, Any], int] = {}

    def begin(self, kind: str, name: str, arguments: tuple[Any, ...], at_once: bool) -> int:
        """Return the state of a request before its first step."""
        return self._at((kind, name, arguments, at_once), ())

    def where(self, number: int) -> Waiting | Done:
        """Return the state of this number."""
        found: Waiting | Done = self._numbers.things[number]
        return found

    def send(self, number: int, outcome: Any) -> int:
        """Return the state of a request after the outcome of its call."""
        following = self._next.get((number, outcome))
        if following is None:
            place = self.where(number)
            assert isinstance(place, Waiting)
            running = self._running.pop(number, None)
            following = self._next[number, outcome] = self._at(place.began, (*place.sent, outcome), running)
        return following

    def _at(self, began: Any, sent: tuple[Any, ...], running: Any = None) -> int:
        kind, name, arguments, at_once = began
        rest: tuple[Any, ...] = sent[-1:] if running else (None, *sent)
        most = MOST_OPERATIONS_OF_COPIES if kind == "keyed" else MOST_OPERATIONS
        now = LATE if kind == "late" else NOW
        running = running or _in_calls(answering(PROGRAMS[kind](name, *arguments, at_once=at_once)), name, now, most)
        try:
            for outcome in rest:
                call = running.send(outcome)
        except StopIteration as end:
            return self._numbers.of(("done", name, end.value), Done(end.value))
        number = self._numbers.of((began, _label(call), remembered(running)), Waiting(call, sent, began))
        self._running.setdefault(number, running)
        return number


def _label(call: Any) -> str:
    return repr(call) if isinstance(call, Reads | Ways) else f"{type(call).__name__} {_parts(call)}"


def _parts(call: Any) -> str:
    match call:
        case Update(record, actions, condition):
            return f"{key_of(record)} {list(actions)} if {condition}"
        case Transact(parts):
            return ", ".join(f"{label}: {type(part).__name__} {key_of(part.record)}" for label, part in parts.items())
        case TransactGet(keys):
            return str([_key(key) for key in keys])
        case Query(model, hash_key, between):
            return f"{model.__name__} {hash_key} {between}"
    return repr(call)


@dataclass
class Found:
    """The result of a search."""

    states: int
    broken: str | None = None
    trace: tuple[str, ...] = ()


class Search:
    """Some scenarios, which share the results of their computations.

    Args:
        tokens: True if DynamoDB recognizes another copy of a transaction by its token, and does not execute it again.
            It does so for ten minutes. Without tokens more can go wrong.
    """

    def __init__(self, *, tokens: bool = False) -> None:
        self._tokens = tokens
        self._automata = Automata()
        self._stores, self._writes, self._monitors = Numbers(), Numbers(), Numbers()
        self._done: dict[tuple[int, int], tuple[bool, int, tuple[Any, ...]]] = {}
        self._fine: set[tuple[int, int]] = set()
        self.states = 0

    def run(self, scenario: Scenario, *, most: int = 3_000_000) -> Found:
        """Search one scenario through, or until something is broken."""
        first = self._first(scenario)
        seen: dict[State, tuple[State, str] | None] = {first: None}
        stack = [first]
        while stack:
            state = stack.pop()
            try:
                for label, following in self._following(state):
                    if following not in seen:
                        seen[following] = (state, label)
                        stack.append(following)
            except Broken as broken:
                return Found(len(seen), str(broken), self._trace(seen, state, broken))
            if len(seen) > most:
                raise RuntimeError(f"more than {most} states: {scenario}")
        self.states += len(seen)
        return Found(len(seen))

    def _trace(self, seen: dict[State, tuple[State, str] | None], state: State, broken: Broken) -> tuple[str, ...]:
        labels = [broken.step]
        while (came := seen[state]) is not None:
            state, label = came
            labels.append(label)
        return tuple(reversed(labels))

    def _first(self, scenario: Scenario) -> State:
        requests = tuple(
            (self._automata.begin(kind, name, tuple(arguments), scenario.at_once), SURE)
            for name, (kind, *arguments) in zip(NAMES, scenario.requests, strict=False)
        )
        store = self._stores.of(frozenset(stored(scenario).items()))
        return State(store, requests, (), (), scenario.faults, self._monitors.of(Monitor.begin(scenario)))

    def _items(self, store: int) -> dict[Key, str]:
        return dict(self._stores.things[store])

    def _following(self, state: State) -> Iterator[tuple[str, State]]:
        finished = True
        for index, (number, in_doubt) in enumerate(state.requests):
            place = self._automata.where(number) if number != CRASHED else None
            if place is None or isinstance(place, Done):
                continue
            finished = False
            if state.faults.crashes:
                yield f"{NAMES[index]} crashes", self._crashed(state, index)
            if not any(who == index and waits for who, waits, _ in state.under_way):
                yield from self._step(state, index, place.call, in_doubt)
        for position, (who, number) in enumerate(state.late):
            yield from self._arrive(state, position, who, number)
        for position in range(len(state.under_way)):
            yield self._appear(state, position)
        if finished and not state.under_way:
            self._check_rest(state)

    def _crashed(self, state: State, index: int) -> State:
        return state._replace(
            requests=_with(state.requests, index, (CRASHED, SURE)),
            faults=state.faults._replace(crashes=state.faults.crashes - 1),
            under_way=tuple((who, waits and who != index, part) for who, waits, part in state.under_way),
        )

    # What one request does next

    def _step(self, state: State, index: int, call: Any, in_doubt: int) -> Iterator[tuple[str, State]]:
        name, label = NAMES[index], f"{NAMES[index]} {_label(call)}"
        match call:
            case Ways():
                for way in range(call.choices):
                    yield f"{name} takes way {way}", self._sent(state, index, way, label)
            case Reads():
                items = self._items(state.store)
                seen = tuple(items.get(key) for key in call.keys)
                yield f"{label}: {seen}", self._sent(state, index, seen, label)
            case TransactGet():
                keys = [_key(key) for key in call.keys]
                items = self._items(state.store)
                found = None if self._is_held(state, keys) else tuple(items.get(key) for key in keys)
                yield f"{label}: {found}", self._sent(state, index, found, label)
            case Query():
                yield label, self._sent(state, index, self._queried(state.store, call), label)
            case WaitForTransactions():
                if not state.under_way:
                    yield label, self._sent(state, index, None, label)
            case Update():
                yield from self._update(state, index, call, in_doubt, label)
            case _:
                yield from self._transact(state, index, call, in_doubt, label)

    def _queried(self, store: int, call: Query) -> tuple[str, ...]:
        table, (low, high) = call.model.Meta.table_name, call.between
        items = self._items(store)
        keys = sorted(key for key in items if key[:2] == (table, call.hash_key) and low <= key[2] <= high)
        return tuple(items[key] for key in (keys[::-1][: call.newest] if call.newest else keys[: call.first]))

    def _update(self, state: State, index: int, call: Update, in_doubt: int, label: str) -> Iterator[tuple[str, State]]:
        if self._is_held(state, [key_of(call.record)]):
            return  # it is refused, and sent again
        number = self._write(call)
        done, store, (text,) = self._carried_out(state.store, number)
        after = self._observed(state._replace(store=store), state.store, index, label)
        yield f"{label}: {done}", self._sent(after, index, (done, text, bool(in_doubt)), label)
        yield from self._faulty(state, index, after if done else None, number, label)

    def _transact(
        self, state: State, index: int, call: Transact, in_doubt: int, label: str
    ) -> Iterator[tuple[str, State]]:
        if self._is_held(state, [key_of(part.record) for part in call.parts.values()]):
            if "seats" in call.parts:
                yield f"{label}: in conflict", self._sent(state, index, (False, (), True, bool(in_doubt)), label)
            return
        number = self._write(call)
        if in_doubt == EXECUTED:
            yield f"{label}: known by its token", self._sent(state, index, (True, (), False, True), label)
            return
        done, store, failures = self._carried_out(state.store, number)
        late = state.late if not (done and self._tokens) else tuple(one for one in state.late if one[1] != number)
        after = self._observed(state._replace(store=store, late=late), state.store, index, label)
        yield f"{label}: {done} {failures}", self._sent(after, index, (done, failures, False, bool(in_doubt)), label)
        yield from self._faulty(state, index, after if done else None, number, label)
        if done and state.faults.torn and len(call.parts) > 1:
            less = state.faults._replace(torn=state.faults.torn - 1)
            parts = tuple((index, True, self._write(part)) for part in call.parts.values())
            yield f"{label}: item by item", state._replace(under_way=(*state.under_way, *parts), faults=less)

    def _write(self, call: Any) -> int:
        if isinstance(call, Transact):
            return self._writes.of(("all", *(self._write(part) for part in call.parts.values())), call)
        return self._writes.of((type(call).__name__, key_of(call.record), remembered(call)), call)

    def _faulty(
        self, state: State, index: int, done: State | None, number: int, label: str
    ) -> Iterator[tuple[str, State]]:
        """Lose the answer, delay the call, or both. The call is sent again, and is in doubt."""
        again = (state.requests[index][0], IN_DOUBT)
        if done is not None and state.faults.lost:
            less = state.faults._replace(lost=state.faults.lost - 1)
            is_known = self._tokens and isinstance(self._writes.things[number], Transact)
            requests = _with(done.requests, index, (again[0], EXECUTED) if is_known else again)
            yield f"{label}: carried out, answer lost", done._replace(faults=less, requests=requests)
        if state.faults.late:
            less = state.faults._replace(late=state.faults.late - 1)
            late = tuple(sorted((*state.late, (index, number))))
            yield (
                f"{label}: delayed",
                self._begun(state, index)._replace(
                    faults=less, late=late, requests=_with(state.requests, index, again)
                ),
            )

    def _arrive(self, state: State, position: int, who: int, number: int) -> Iterator[tuple[str, State]]:
        """Execute a delayed write. One that is never executed is the same as one that stays delayed."""
        call = self._writes.things[number]
        parts = list(call.parts.values()) if isinstance(call, Transact) else [call]
        if self._is_held(state, [key_of(part.record) for part in parts]):
            return
        rest = state._replace(late=state.late[:position] + state.late[position + 1 :])
        done, store, _ = self._carried_out(state.store, number)
        if done and self._tokens and isinstance(call, Transact):
            rest = rest._replace(requests=self._known_by_token(state, who, number))
        label = f"late copy of {NAMES[who]}: {_label(call)}: {done}"
        yield label, self._observed(rest._replace(store=store), state.store, who, label)

    def _known_by_token(self, state: State, who: int, number: int) -> tuple[tuple[int, int], ...]:
        """Return the requests after a late copy of a transaction is executed, for which its request may still wait."""
        position = state.requests[who][0]
        place = self._automata.where(position) if position != CRASHED else None
        if isinstance(place, Waiting) and isinstance(place.call, Transact) and self._write(place.call) == number:
            return _with(state.requests, who, (position, EXECUTED))
        return state.requests

    def _appear(self, state: State, position: int) -> tuple[str, State]:
        who, waits, number = state.under_way[position]
        call = self._writes.things[number]
        items = self._items(state.store)
        key = key_of(call.record)
        _, item = written(call, thawed(items.get(key)))
        store = self._stored(items, {key: item})
        under_way = state.under_way[:position] + state.under_way[position + 1 :]
        label = f"{key} of {NAMES[who]} appears"
        after = self._observed(state._replace(store=store, under_way=under_way), state.store, who, label)
        if waits and not any(one == who for one, _, _ in under_way):
            after = self._sent(after, who, (True, (), False, bool(state.requests[who][1])), label)
        return label, after

    def _is_held(self, state: State, keys: list[Key]) -> bool:
        return any(key_of(self._writes.things[number].record) in keys for _, _, number in state.under_way)

    def _carried_out(self, store: int, number: int) -> tuple[bool, int, tuple[Any, ...]]:
        known = self._done.get((store, number))
        if known is None:
            known = self._done[store, number] = self._compute(store, self._writes.things[number])
        return known

    def _compute(self, store: int, call: Any) -> tuple[bool, int, tuple[Any, ...]]:
        items = self._items(store)
        if isinstance(call, Update):
            before = items.get(key_of(call.record))
            done, item = written(call, thawed(before))
            after = self._stored(items, {key_of(call.record): item}) if done else store
            return done, after, (frozen(item),)
        failures, changed = transacted(items, call.parts)
        if failures:
            return False, store, tuple(failures.items())
        return True, self._stored(items, changed), ()

    def _stored(self, items: dict[Key, str], changed: dict[Key, Any]) -> int:
        texts = {key: frozen(item) for key, item in changed.items()}
        kept = {key: text for key, text in {**items, **texts}.items() if text is not None}
        return self._stores.of(frozenset(kept.items()))

    # What it means

    def _begun(self, state: State, index: int) -> State:
        before: Monitor = self._monitors.things[state.monitor]
        return state._replace(monitor=self._monitors.of(before.began(index)))

    def _sent(self, state: State, index: int, outcome: Any, label: str) -> State:
        """Send the outcome of a call to its request. If the request ends, check its answer."""
        state = self._begun(state, index)
        number = self._automata.send(state.requests[index][0], outcome)
        following = state._replace(requests=_with(state.requests, index, (number, SURE)))
        place = self._automata.where(number)
        if isinstance(place, Done):
            monitor: Monitor = self._monitors.things[following.monitor]
            after = monitor.answered(index, place.answer, label)
            following = following._replace(monitor=self._monitors.of(after))
        return following

    def _observed(self, state: State, before: int, index: int, label: str) -> State:
        """Let the monitor follow a write of the seats."""
        if before == state.store:
            return state
        earlier, later = self._items(before), self._items(state.store)
        old, new = earlier.get(SEATS_KEY), later.get(SEATS_KEY)
        monitor: Monitor = self._monitors.things[self._begun(state, index).monitor]
        for user in monitor.users:
            if _row_key(user) in earlier and _row_key(user) not in later:
                monitor = monitor.forgot(user)
            if _user_key(user) in earlier and _user_key(user) not in later:
                monitor = monitor.deleted_user(user)
        if old != new:
            monitor = self._following_seats(monitor, index, old, new, label)
        return state._replace(monitor=self._monitors.of(monitor))

    def _following_seats(self, monitor: Monitor, index: int, old: str | None, new: str | None, label: str) -> Monitor:
        if new is None:
            return monitor.deleted()
        seats = Seats.parse(thawed(new))
        return monitor.changed(index, Seats.parse(thawed(old)), seats, label) if old else monitor.created(seats)

    def _check_rest(self, state: State) -> None:
        if (state.store, state.monitor) in self._fine:
            return
        check_rest(self._items(state.store), self._monitors.things[state.monitor])
        self._fine.add((state.store, state.monitor))


def _row_key(user: str) -> Key:
    return (UserRegistration.Meta.table_name, *UserRegistration.key_of(EVENT, user))


def _user_key(user: str) -> Key:
    return (User.Meta.table_name, user)


def _with(requests: tuple[Any, ...], index: int, one: Any) -> tuple[Any, ...]:
    return (*requests[:index], one, *requests[index + 1 :])
