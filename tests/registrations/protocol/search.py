"""Every order in which the steps of some requests can happen, with deaths, lost answers and late copies in between.

A state is what is stored, how far each request is, which copies of writes are still on their way, which transactions
are being carried out, how many faults are left, and what the answers so far have promised. States that were seen are
not visited again. Requests are automata: their next step follows from where they are and what they are told, so each
of their states is computed once and is a number from then on; the same goes for what a write makes of what is stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import GeneratorType
from typing import Any, NamedTuple

from tests.registrations.protocol import steps
from tests.registrations.protocol.items import GONE, Event, Row, Rules, Seats
from tests.registrations.protocol.monitor import Broken, Monitor
from tests.registrations.protocol.steps import LOST, Choose, Read, ReadTogether, Together, Write

Store = frozenset[tuple[Any, Any]]
CRASHED = -1


class Faults(NamedTuple):
    """How many of each may still happen."""

    crashes: int = 0
    lost: int = 0
    late: int = 0
    torn: int = 0


NO_FAULTS = Faults()


class State(NamedTuple):
    """All there is at one moment; everything in it is a number or made of numbers."""

    store: int
    requests: tuple[int, ...]
    late: tuple[int, ...]
    """Copies of writes that may still arrive."""
    under_way: tuple[tuple[int, int], ...]
    """The parts of transactions that have yet to appear: whose (a request's index, or -1) and which write."""
    faults: Faults
    monitor: int


class Numbers:
    """Gives everything that is equal the same number."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self.things: list[Any] = []

    def of(self, thing: Any) -> int:
        number = self._numbers.get(thing)
        if number is None:
            number = self._numbers[thing] = len(self.things)
            self.things.append(thing)
        return number


class Waiting(NamedTuple):
    """Where a request is: the call it makes next, and everything that it remembers."""

    call: Any
    memory: Any


class Done(NamedTuple):
    """A request that has answered."""

    answer: Any


class Automata:
    """The requests' programs. A state is recreated by telling the program once more what it was told."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._numbers = Numbers()
        self._told: dict[int, tuple[Any, tuple[Any, ...]]] = {}
        self._next: dict[tuple[int, Any], int] = {}

    def begin(self, program: Any, *arguments: Any) -> int:
        return self._at((program, arguments), ())

    def where(self, number: int) -> Waiting | Done:
        return self._numbers.things[number]  # type: ignore[no-any-return]

    def tell(self, number: int, answer: Any) -> int:
        following = self._next.get((number, answer))
        if following is None:
            beginning, told = self._told[number]
            following = self._next[number, answer] = self._at(beginning, (*told, answer))
        return following

    def _at(self, beginning: Any, told: tuple[Any, ...]) -> int:
        program, arguments = beginning
        running = program(self._rules, *arguments)
        try:
            call = running.send(None)
            for answer in told:
                call = running.send(answer)
            place: Waiting | Done = Waiting(call, (arguments, *_memory(running)))
        except StopIteration as end:
            place = Done(end.value)
        number = self._numbers.of(place)
        self._told.setdefault(number, (beginning, told))
        return number


def _memory(running: Any) -> Iterator[Any]:
    while running is not None:
        frame = running.gi_frame
        known = tuple((name, value) for name, value in sorted(frame.f_locals.items()) if _is_plain(value))
        yield running.gi_code.co_name, frame.f_lasti, known
        running = running.gi_yieldfrom if isinstance(running.gi_yieldfrom, GeneratorType) else None


def _is_plain(value: Any) -> bool:
    return not isinstance(value, Rules) and not callable(value)


@dataclass(frozen=True)
class Scenario:
    """Who asks what at once, of an event in which some have seats and some wait."""

    capacity: int
    requests: tuple[tuple[Any, ...], ...]
    seated: str = ""
    waiting: str = ""
    waitlist: bool = True
    is_open: bool = True
    faults: Faults = NO_FAULTS
    room: int = 9
    """So many operations may be committed and not cleared."""


@dataclass
class Found:
    """What a search came to."""

    states: int
    broken: str | None = None
    trace: tuple[str, ...] = ()


class Search:
    """All scenarios under the same rules; what was computed for one helps with the next."""

    def __init__(self, without: frozenset[str] = frozenset()) -> None:
        self.rules = Rules(without)
        self._automata = Automata(self.rules)
        self._stores, self._writes, self._monitors = Numbers(), Numbers(), Numbers()
        self._done: dict[tuple[int, int], tuple[int, Any]] = {}
        self._fine: set[tuple[int, int, tuple[int, ...]]] = set()

    def run(self, scenario: Scenario, *, most: int = 5_000_000) -> Found:
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
        return Found(len(seen))

    def _trace(self, seen: dict[State, tuple[State, str] | None], state: State, broken: Broken) -> tuple[str, ...]:
        labels = [broken.step]
        while (came := seen[state]) is not None:
            state, label = came
            labels.append(label)
        return tuple(reversed(labels))

    def _first(self, scenario: Scenario) -> State:
        monitor = Monitor.begin(scenario)
        requests = tuple(
            self._automata.begin(steps.PROGRAMS[kind], name, *arguments)
            for name, (kind, *arguments) in zip("ABCDEF", scenario.requests, strict=False)
        )
        return State(self._stores.of(stored(scenario)), requests, (), (), scenario.faults, self._monitors.of(monitor))

    def _following(self, state: State) -> Iterator[tuple[str, State]]:
        finished = True
        for index, number in enumerate(state.requests):
            if number == CRASHED:
                continue
            place = self._automata.where(number)
            if isinstance(place, Done):
                continue
            finished = False
            if state.faults.crashes:
                yield (
                    f"{'ABCDEF'[index]} dies",
                    state._replace(
                        requests=_with(state.requests, index, CRASHED),
                        faults=state.faults._replace(crashes=state.faults.crashes - 1),
                        under_way=tuple((-1 if who == index else who, part) for who, part in state.under_way),
                    ),
                )
            if not any(who == index for who, _ in state.under_way):
                yield from self._step(state, index, place.call)
        for position, write in enumerate(state.late):
            yield from self._arrive(state, position, write)
        for position, (who, write) in enumerate(state.under_way):
            yield self._appear(state, position, who, write)
        if finished and not state.under_way:
            self._check_rest(state)

    # What one request does next

    def _step(self, state: State, index: int, call: Any) -> Iterator[tuple[str, State]]:
        name = "ABCDEF"[index]
        if isinstance(call, Choose):
            for way in range(call.ways):
                yield f"{name} chooses {way}", self._told(state, index, way, f"{name} chooses")
        elif isinstance(call, Read):
            seen = dict(self._stores.things[state.store]).get(call.key)
            label = f"{name} reads {call.key}: {seen}"
            yield label, self._told(state, index, seen, label)
        elif isinstance(call, ReadTogether):
            if not self._is_held(state, call.keys):
                items = dict(self._stores.things[state.store])
                seen = tuple(items.get(key) for key in call.keys)
                yield f"{name} reads {call.keys}: {seen}", self._told(state, index, seen, f"{name} reads {seen}")
        elif isinstance(call, Write):
            yield from self._write(state, index, call)
        else:
            yield from self._transact(state, index, call)

    def _write(self, state: State, index: int, call: Write) -> Iterator[tuple[str, State]]:
        if self._is_held(state, (call.key,)):
            return  # refused with a conflict, and sent again later
        number = self._writes.of(call)
        label = f"{'ABCDEF'[index]} {call.rule} {call.arguments} of {call.key}"
        store, answer = self._carry_out(state.store, number)
        done = self._observed(state._replace(store=store), state.store, call, f"{label}: {answer}")
        yield f"{label}: {answer}", self._told(done, index, answer, f"{label}: {answer}")
        yield from self._faulty(state, index, done, (number,), label)

    def _faulty(
        self, state: State, index: int, done: State, copies: tuple[int, ...], label: str
    ) -> Iterator[tuple[str, State]]:
        if state.faults.lost:
            less = state.faults._replace(lost=state.faults.lost - 1)
            lost = self._told(done._replace(faults=less), index, LOST, label)
            yield f"{label}: carried out, answer lost", lost
        if state.faults.late:
            less = state.faults._replace(late=state.faults.late - 1)
            late = tuple(sorted((*state.late, *copies)))
            yield f"{label}: delayed", self._told(state._replace(faults=less, late=late), index, LOST, label)
            if state.faults.lost:
                less = less._replace(lost=less.lost - 1)
                both = self._told(done._replace(faults=less, late=late), index, LOST, label)
                yield f"{label}: carried out, answer lost, a copy delayed", both

    def _transact(self, state: State, index: int, call: Together) -> Iterator[tuple[str, State]]:
        if self._is_held(state, tuple(part.key for part in call.parts)):
            return
        label = f"{'ABCDEF'[index]} together {[(part.rule, part.key, part.arguments) for part in call.parts]}"
        numbers = tuple(self._writes.of(part) for part in call.parts)
        whole = self._writes.of(call)
        done, answer = self._together(state, call, label)
        yield f"{label}: {answer[0]}", self._told(done, index, answer, label)
        yield from self._faulty(state, index, done, (whole,), label)
        if answer[0] and state.faults.torn:
            less = state.faults._replace(torn=state.faults.torn - 1)
            parts = tuple(sorted((index, number) for number in numbers))
            yield f"{label}: item by item", state._replace(under_way=(*state.under_way, *parts), faults=less)

    def _together(self, state: State, call: Together, label: str) -> tuple[State, Any]:
        after, pairs = state.store, []
        for part in call.parts:
            before = after
            after, (done, _) = self._carry_out(after, self._writes.of(part))
            if not done:
                return state, (False, None)
            pairs.append((before, part))
        result = state
        for before, part in pairs:
            store, _ = self._carry_out(before, self._writes.of(part))
            result = self._observed(result._replace(store=store), before, part, label)
        return result, (True, None)

    def _arrive(self, state: State, position: int, number: int) -> Iterator[tuple[str, State]]:
        """A late copy is carried out, or never is (which is the same as that it stays on its way)."""
        call = self._writes.things[number]
        rest = state._replace(late=state.late[:position] + state.late[position + 1 :])
        keys = (call.key,) if isinstance(call, Write) else tuple(part.key for part in call.parts)
        if self._is_held(state, keys):
            return
        if isinstance(call, Together):
            done, answer = self._together(rest, call, "late")
            yield f"late: together {call.parts}: {answer[0]}", done
        else:
            store, answer = self._carry_out(rest.store, number)
            label = f"late: {call.rule} {call.arguments} of {call.key}: {answer}"
            yield label, self._observed(rest._replace(store=store), rest.store, call, label)

    def _appear(self, state: State, position: int, who: int, number: int) -> tuple[str, State]:
        call = self._writes.things[number]
        store, _ = self._carry_out(state.store, number)
        rest = state.under_way[:position] + state.under_way[position + 1 :]
        label = f"{call.rule} of {call.key} appears"
        following = self._observed(state._replace(store=store, under_way=rest), state.store, call, label)
        if who >= 0 and not any(one == who for one, _ in rest):
            following = self._told(following, who, (True, None), label)
        return label, following

    def _is_held(self, state: State, keys: tuple[Any, ...]) -> bool:
        return any(self._writes.things[number].key in keys for _, number in state.under_way)

    def _carry_out(self, store: int, write: int) -> tuple[int, Any]:
        known = self._done.get((store, write))
        if known is None:
            known = self._done[store, write] = self._compute(store, write)
        return known

    def _compute(self, store: int, write: int) -> tuple[int, Any]:
        items = dict(self._stores.things[store])
        call = self._writes.things[write]
        before = items.get(call.key)
        after = getattr(self.rules, call.rule)(before, *call.arguments)
        if after is None:
            return store, (False, before)
        items.pop(call.key, None)
        if after != GONE:
            items[call.key] = after
        return self._stores.of(frozenset(items.items())), (True, None if after == GONE else after)

    # What it means

    def _told(self, state: State, index: int, answer: Any, label: str) -> State:
        """A request learns something; where that is the end of it, its answer must be right."""
        began: Monitor = self._monitors.things[state.monitor]
        state = state._replace(monitor=self._monitors.of(began.began(index)))
        number = self._automata.tell(state.requests[index], answer)
        following = state._replace(requests=_with(state.requests, index, number))
        place = self._automata.where(number)
        if isinstance(place, Done):
            monitor: Monitor = self._monitors.things[state.monitor]
            following = following._replace(monitor=self._monitors.of(monitor.answered(index, place.answer, label)))
        return following

    def _observed(self, state: State, before: int, call: Write, label: str) -> State:
        """The seats changed: so has what everybody may be told."""
        if call.key != steps.SEATS or before == state.store:
            return state
        old, new = (dict(self._stores.things[number])[steps.SEATS] for number in (before, state.store))
        monitor: Monitor = self._monitors.things[state.monitor]
        return state._replace(monitor=self._monitors.of(monitor.changed(old, new, call, label)))

    # After the last step

    def _check_rest(self, state: State) -> None:
        """Whoever comes next finds everything right; also if a late copy arrives before or after."""
        key = (state.store, state.monitor, state.late)
        if key in self._fine:
            return
        self._fine.add(key)
        monitor: Monitor = self._monitors.things[state.monitor]
        store = self._recovered(state.store, monitor)
        monitor.at_rest(dict(self._stores.things[store]))
        for position, number in enumerate(state.late):
            call = self._writes.things[number]
            if isinstance(call, Write):
                rest = state._replace(store=store, late=state.late[:position] + state.late[position + 1 :])
                self._check_rest(next(self._arrive(rest._replace(late=(number,)), 0, number))[1])

    def _recovered(self, store: int, monitor: Monitor) -> int:
        for user in monitor.users:
            number = self._automata.begin(steps.recover, user)
            while isinstance(place := self._automata.where(number), Waiting):
                call = place.call
                items = dict(self._stores.things[store])
                if isinstance(call, Read):
                    answer = items.get(call.key)
                elif isinstance(call, ReadTogether):
                    answer = tuple(items.get(key) for key in call.keys)
                elif isinstance(call, Write):
                    store, answer = self._carry_out(store, self._writes.of(call))
                else:
                    store, answer = self._all(store, call)
                number = self._automata.tell(number, answer)
        return store

    def _all(self, store: int, call: Together) -> tuple[int, Any]:
        after = store
        for part in call.parts:
            after, (done, _) = self._carry_out(after, self._writes.of(part))
            if not done:
                return store, (False, None)
        return after, (True, None)


def _with(numbers: tuple[int, ...], index: int, number: int) -> tuple[int, ...]:
    return (*numbers[:index], number, *numbers[index + 1 :])


def stored(scenario: Scenario) -> Store:
    """What there is at the beginning."""
    people = scenario.seated + scenario.waiting
    seats = Seats(
        scenario.capacity,
        scenario.waitlist,
        scenario.is_open,
        registered=len(scenario.seated),
        waiting=len(scenario.waiting),
        tickets=len(people),
        served=len(scenario.seated),
        room=scenario.room,
    )
    items: dict[Any, Any] = {steps.SEATS: seats, steps.EVENT: Event()}
    for ticket, user in enumerate(people, start=1):
        items[steps.row_of(user)] = Row(ticket, ((f"before-{user}", 0),))
        items[steps.place_of(ticket)] = user
    return frozenset(items.items())
