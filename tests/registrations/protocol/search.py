"""Every order in which the steps of some requests can happen, with crashes, lost answers and late copies in between.

The service's own code runs here: the rules yield steps, which are executed on a store in memory. A state is the
stored items, the position of each request, which copies of writes are still on their way, which transactions are just
becoming visible, how many faults are left, and what the answers so far have promised. States that were seen are not
visited again. Each part of a state is a number, and what follows from such parts is computed once for all scenarios.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from eventsite.dynamodb.steps import Query, Transact, TransactGet, Update, WaitForTransactions
from tests.registrations.protocol.automata import NAMES, Automata, Done, Reads, Waiting, Ways, label_of, stored_key
from tests.registrations.protocol.monitor import Broken
from tests.registrations.protocol.observer import Observer
from tests.registrations.protocol.scene import stored
from tests.registrations.protocol.snapshots import Executed, Snapshots
from tests.registrations.protocol.store import Key

CRASHED = -1
SURE, IN_DOUBT, EXECUTED = range(3)
"""Whether the call of a request may have been executed. `EXECUTED` is for a transaction that was, by its token."""


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
    then: tuple[tuple[Any, ...], ...] = ()
    """Further requests, which begin one after the other when the last one of `requests` has ended."""


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


@dataclass
class Found:
    """The result of a search."""

    states: int
    broken: str | None = None
    trace: tuple[str, ...] = ()


class Step(NamedTuple):
    """A step of the search, for the trace of a breach."""

    who: int
    call: Any
    outcome: Any

    def __str__(self) -> str:
        call = self.call if isinstance(self.call, str) else label_of(self.call)
        return f"{NAMES[self.who]} {call}: {self.outcome}"


class Search:
    """Some scenarios, which share the results of their computations.

    Args:
        tokens: True if DynamoDB recognizes another copy of a transaction by its token, and does not execute it again.
            It does so for ten minutes. Without tokens more can go wrong.
    """

    def __init__(self, *, tokens: bool = False) -> None:
        self._tokens = tokens
        self._automata, self._snapshots = Automata(), Snapshots()
        self._observer = Observer(self._snapshots)
        self._writes: dict[int, int] = {}
        self._concurrent = 0
        self.states = 0

    def run(self, scenario: Scenario, *, most: int = 3_000_000) -> Found:
        """Search one scenario through, or until something is broken."""
        first = self._first(scenario)
        came_from: dict[State, State | None] = {first: None}
        stack = [first]
        while stack:
            state = stack.pop()
            try:
                for _, following in self._following(state):
                    if following not in came_from:
                        came_from[following] = state
                        stack.append(following)
            except Broken as broken:
                return Found(len(came_from), str(broken), (*self._trace(came_from, state), str(broken.step)))
            if len(came_from) > most:
                raise RuntimeError(f"more than {most} states: {scenario}")
        self.states += len(came_from)
        return Found(len(came_from))

    def _trace(self, came_from: dict[State, State | None], state: State) -> list[str]:
        before = came_from[state]
        if before is None:
            return []
        step = next(step for step, following in self._following(before) if following == state)
        return [*self._trace(came_from, before), str(step)]

    def _first(self, scenario: Scenario) -> State:
        self._concurrent = len(scenario.requests)
        requests = tuple(
            (self._automata.begin(kind, name, tuple(arguments), scenario.at_once), SURE)
            for name, (kind, *arguments) in zip(NAMES, (*scenario.requests, *scenario.then), strict=False)
        )
        store = self._snapshots.of(stored(scenario))
        return State(store, requests, (), (), scenario.faults, self._observer.begin(scenario))

    def _following(self, state: State) -> Iterator[tuple[Step, State]]:
        finished = True
        for index, (number, in_doubt) in enumerate(state.requests):
            place = self._automata.where(number) if number != CRASHED else None
            if place is None or isinstance(place, Done):
                continue
            finished = False
            if index >= self._concurrent and not self._has_ended(state, index - 1):
                continue
            if state.faults.crashes:
                yield Step(index, place.call, "crash"), self._crashed(state, index)
            if not any(who == index and waits for who, waits, _ in state.under_way):
                yield from self._step(state, index, place.call, in_doubt)
        for position in range(len(state.late)):
            yield from self._arrive(state, position)
        for position in range(len(state.under_way)):
            yield self._appear(state, position)
        if finished and not state.under_way:
            self._observer.check_rest(state.monitor, state.store)

    def _has_ended(self, state: State, index: int) -> bool:
        number, _ = state.requests[index]
        return number == CRASHED or isinstance(self._automata.where(number), Done)

    def _crashed(self, state: State, index: int) -> State:
        return state._replace(
            requests=_with(state.requests, index, (CRASHED, SURE)),
            faults=state.faults._replace(crashes=state.faults.crashes - 1),
            under_way=tuple((who, waits and who != index, part) for who, waits, part in state.under_way),
        )

    # What one request does next

    def _step(self, state: State, index: int, call: Any, in_doubt: int) -> Iterator[tuple[Step, State]]:
        match call:
            case Ways():
                for way in range(call.choices):
                    yield self._sent(state, index, call, way)
            case Reads():
                items = self._snapshots.items(state.store)
                yield self._sent(state, index, call, tuple(items.get(key) for key in call.keys))
            case TransactGet():
                keys = [stored_key(key) for key in call.keys]
                items = self._snapshots.items(state.store)
                found = None if self._is_held(state, keys) else tuple(items.get(key) for key in keys)
                yield self._sent(state, index, call, found)
            case Query():
                yield self._sent(state, index, call, self._snapshots.queried(state.store, call))
            case WaitForTransactions():
                if not state.under_way:
                    yield self._sent(state, index, call, None)
            case _:
                yield from self._write(state, index, call, in_doubt)

    def _write(self, state: State, index: int, call: Any, in_doubt: int) -> Iterator[tuple[Step, State]]:
        number = self._number_of(state.requests[index][0], call)
        if in_doubt == EXECUTED:
            yield self._sent(state, index, call, (True, (), False, True))
            return
        if self._is_held(state, self._snapshots.write(number).keys):
            if isinstance(call, Transact) and "seats" in call.parts:
                yield self._sent(state, index, call, (False, (), True, bool(in_doubt)))
            return  # any other write is refused, and sent again
        executed = self._snapshots.execute(state.store, number)
        after = self._after(state, index, number, executed)
        yield self._sent(after, index, call, _outcome(call, executed, in_doubt=bool(in_doubt)))
        yield from self._faulty(state, index, after if executed.done else None, number)
        if executed.done and state.faults.torn and isinstance(call, Transact) and len(call.parts) > 1:
            less = state.faults._replace(torn=state.faults.torn - 1)
            parts = tuple((index, True, part) for part in self._snapshots.write(number).parts)
            late, under_way = self._without_copies(state.late, number), (*state.under_way, *parts)
            torn = state._replace(under_way=under_way, late=late, faults=less)
            yield Step(index, call, "item by item"), torn

    def _number_of(self, position: int, call: Any) -> int:
        """Return the number of the write of a request in this state."""
        number = self._writes.get(position)
        if number is None:
            number = self._writes[position] = self._snapshots.number_of(call)
        return number

    def _after(self, state: State, index: int, number: int, executed: Executed) -> State:
        """Return the state after a write. A copy of a transaction that has a token is not executed any more."""
        late, call = state.late, self._snapshots.write(number).call
        if executed.done:
            late = self._without_copies(late, number)
        monitor = self._observer.wrote(
            state.monitor, index, state.store, executed.after, Step(index, call, executed.done)
        )
        return state._replace(store=executed.after, late=late, monitor=monitor)

    def _without_copies(self, late: tuple[tuple[int, int], ...], number: int) -> tuple[tuple[int, int], ...]:
        """Return the delayed writes without those that DynamoDB recognizes after the execution of this one."""
        recognized = self._tokens and isinstance(self._snapshots.write(number).call, Transact)
        return tuple(one for one in late if one[1] != number) if recognized else late

    def _faulty(self, state: State, index: int, done: State | None, number: int) -> Iterator[tuple[Step, State]]:
        """Lose the answer, delay the call, or both. The call is sent again, and is in doubt."""
        position, call = state.requests[index][0], self._snapshots.write(number).call
        if done is not None and state.faults.lost:
            less = state.faults._replace(lost=state.faults.lost - 1)
            is_known = self._tokens and isinstance(call, Transact)
            requests = _with(done.requests, index, (position, EXECUTED if is_known else IN_DOUBT))
            yield Step(index, call, "executed, answer lost"), done._replace(faults=less, requests=requests)
        if state.faults.late:
            less = state.faults._replace(late=state.faults.late - 1)
            late = tuple(sorted((*state.late, (index, number))))
            requests = _with(state.requests, index, (position, IN_DOUBT))
            monitor = self._observer.began(state.monitor, index)
            delayed = state._replace(faults=less, late=late, requests=requests, monitor=monitor)
            yield Step(index, call, "delayed"), delayed

    def _arrive(self, state: State, position: int) -> Iterator[tuple[Step, State]]:
        """Execute a delayed write. One that is never executed is the same as one that stays delayed."""
        who, number = state.late[position]
        write = self._snapshots.write(number)
        if self._is_held(state, write.keys):
            return
        executed = self._snapshots.execute(state.store, number)
        rest = state._replace(late=state.late[:position] + state.late[position + 1 :])
        if executed.done and self._tokens and isinstance(write.call, Transact):
            rest = rest._replace(requests=self._known_by_token(state, who, number))
        step = Step(who, write.call, f"a late copy is executed, {executed.done}")
        monitor = self._observer.wrote(state.monitor, who, state.store, executed.after, step)
        yield step, rest._replace(store=executed.after, monitor=monitor)

    def _known_by_token(self, state: State, who: int, number: int) -> tuple[tuple[int, int], ...]:
        """Return the requests after a late copy of a transaction is executed, for which its request may still wait."""
        position = state.requests[who][0]
        place = self._automata.where(position) if position != CRASHED else None
        call = place.call if isinstance(place, Waiting) else None
        if isinstance(call, Transact) and self._number_of(position, call) == number:
            return _with(state.requests, who, (position, EXECUTED))
        return state.requests

    def _appear(self, state: State, position: int) -> tuple[Step, State]:
        who, waits, number = state.under_way[position]
        executed = self._snapshots.execute(state.store, number)
        under_way = state.under_way[:position] + state.under_way[position + 1 :]
        step = Step(who, str(self._snapshots.write(number).keys), "appears")
        monitor = self._observer.wrote(state.monitor, who, state.store, executed.after, step)
        after = state._replace(store=executed.after, under_way=under_way, monitor=monitor)
        if waits and not any(one == who for one, _, _ in under_way):
            _, after = self._sent(after, who, "transaction", (True, (), False, bool(state.requests[who][1])))
        return step, after

    def _is_held(self, state: State, keys: Iterable[Key]) -> bool:
        if not state.under_way:
            return False
        held = self._snapshots.keys_of(number for _, _, number in state.under_way)
        return not held.isdisjoint(keys)

    def _sent(self, state: State, index: int, call: Any, outcome: Any) -> tuple[Step, State]:
        """Send the outcome of a call to its request. If the request ends, check its answer."""
        step = Step(index, call, outcome)
        monitor = self._observer.began(state.monitor, index)
        number = self._automata.send(state.requests[index][0], outcome)
        place = self._automata.where(number)
        if isinstance(place, Done):
            monitor = self._observer.answered(monitor, index, place.answer, step)
        return step, state._replace(requests=_with(state.requests, index, (number, SURE)), monitor=monitor)


def _outcome(call: Update | Transact, executed: Executed, *, in_doubt: bool) -> tuple[Any, ...]:
    """Return what a request is sent after a write."""
    if isinstance(call, Update):
        return executed.done, executed.texts[0], in_doubt
    return executed.done, executed.texts, False, in_doubt


def _with(requests: tuple[Any, ...], index: int, one: Any) -> tuple[Any, ...]:
    return (*requests[:index], one, *requests[index + 1 :])
