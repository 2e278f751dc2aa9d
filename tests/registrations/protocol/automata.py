"""The requests of the search as automata: the service's own rules, of which each state is a number.

A request's next step follows from where it is and what it is sent. So each of its states is computed once, by sending
it again what it was sent.
"""

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
    TransactGet,
    Update,
    Wait,
    WaitForTransactions,
)
from eventsite.dynamodb.writes import Transacted, Written
from eventsite.errors import Unavailable
from tests.registrations.protocol.memory import remembered
from tests.registrations.protocol.programs import PROGRAMS, answering
from tests.registrations.protocol.store import Key, key_of, thawed

NOW, LATE = "2026-06-01T10:00:00.000000Z", "2026-06-01T12:00:00.000000Z"
"""What the clocks of the servers show, between which a window may close."""
MOST_OPERATIONS = 3
MOST_OPERATIONS_OF_COPIES = 8
"""After this number of attempts a request gives up, as it would at its deadline."""
MOST_STEPS = 70
NAMES = "ABCDEF"


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


def stored_key(key: Any) -> Key:
    """Return the key in the store of a key of a step."""
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
            (text,) = yield Reads((stored_key(step.key),))
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
    keys = list(dict.fromkeys(stored_key(key) for key in step.keys))
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
    return [key[0].parse(thawed(found[stored_key(key)])) if found[stored_key(key)] else None for key in step.keys]


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
        number = self._numbers.of((began, label_of(call), remembered(running)), Waiting(call, sent, began))
        self._running.setdefault(number, running)
        return number


def label_of(call: Any) -> str:
    """Return a call as short text."""
    return repr(call) if isinstance(call, Reads | Ways) else f"{type(call).__name__} {_parts(call)}"


def _parts(call: Any) -> str:
    match call:
        case Update(record, actions, condition):
            return f"{key_of(record)} {list(actions)} if {condition}"
        case Transact(parts):
            return ", ".join(f"{label}: {type(part).__name__} {key_of(part.record)}" for label, part in parts.items())
        case TransactGet(keys):
            return str([stored_key(key) for key in keys])
        case Query(model, hash_key, between):
            return f"{model.__name__} {hash_key} {between}"
    return repr(call)
