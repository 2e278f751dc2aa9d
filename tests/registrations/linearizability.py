"""Whether a concurrent history could have happened one call after the other (Herlihy and Wing 1990).

The search is Wing and Gong's (1993): of the calls that nobody finished before, try each as the next one, and go on
if the reference answers as the service did. States that were seen with the same calls done are not tried again
(Lowe 2017).

An edit is several things, by the contract: it changes the event, the queue moves, perhaps in several steps, and
before it is answered the queue has moved up completely. Its answer is a later read of the event. A joining may be
answered by a later read too: after a lost answer, or if others moved the queue in the meantime. If it was given up by
then, it is answered with its first status.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.registrations.reference import Seating


@dataclass(frozen=True)
class Call:
    """One call of a history: what was asked, what was answered, and when."""

    start: int
    end: int
    name: str
    argument: Any
    answer: Any


Effect = Callable[[Seating], Seating | None]
"""What a step makes of a state; None where it cannot happen, or cannot have been answered like this."""


@dataclass(frozen=True)
class _Step:
    start: int
    end: int
    after: int | None
    """The step of the same call that comes before."""
    effect: Effect


def explain(history: list[Call], beginning: Seating) -> bool:
    """Whether there is an order of the calls, true to the times, in which the reference gives these answers."""
    steps = list(_steps(history))
    everything = (1 << len(steps)) - 1
    seen: set[tuple[int, Seating]] = set()
    stack = [(0, _bare(beginning))]
    while stack:
        done, state = stack.pop()
        if done == everything:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        if state.can_promote:
            stack.append((done, _bare(state.promote())))
        for number in _next(steps, done):
            following = steps[number].effect(state)
            if following is not None:
                stack.append((done | 1 << number, _bare(following)))
    return False


def _next(steps: list[_Step], done: int) -> Iterator[int]:
    """The steps that may come next: nothing that is still to come was over before they began."""
    open_ = [number for number in range(len(steps)) if not done & 1 << number]
    first_end = min(steps[number].end for number in open_)
    for number in open_:
        after = steps[number].after
        if steps[number].start <= first_end and (after is None or done & 1 << after):
            yield number


def _bare(state: Seating) -> Seating:
    """Return the observable part of a state: not who left, nor the order of the seated users."""
    return replace(state, seated=tuple(sorted(state.seated)), past=frozenset())


def _steps(history: list[Call]) -> Iterator[_Step]:
    number = 0
    for call in history:
        effects = _effects(call)
        for place, effect in enumerate(effects):
            yield _Step(call.start, call.end, number - 1 if place else None, effect)
            number += 1


def _effects(call: Call) -> list[Effect]:
    if call.name == "edit":
        return [
            lambda state: replace(state, **call.argument),
            lambda state: None if state.can_promote else state,
            lambda state: state if see(state, "event") == call.answer else None,
        ]
    if call.name == "register" and call.answer[0] in ("registered", "waitlisted"):
        return [lambda state: _joined(state, call), lambda state: state if _shows(state, call) else None]
    if call.name in ("register", "leave"):
        return [lambda state: _change(state, call)]
    return [lambda state: state if see(state, call.name, call.argument) == call.answer else None]


GIVEN_UP = "waitlisted", None
"""The answer to a joining that is given up before it is answered."""


def _joined(state: Seating, call: Call) -> Seating | None:
    following, (status, _) = state.register(call.argument)
    return (
        following if status in (("waitlisted",) if call.answer == GIVEN_UP else ("registered", "waitlisted")) else None
    )


def _shows(state: Seating, call: Call) -> bool:
    return bool(see(state, "standing", call.argument) == (("none", None) if call.answer == GIVEN_UP else call.answer))


def _change(state: Seating, call: Call) -> Seating | None:
    following, answer = state.register(call.argument) if call.name == "register" else state.leave(call.argument)
    return following if answer == call.answer else None


def see(state: Seating, what: str, argument: Any = None) -> Any:
    """What a reading call answers in a state."""
    if what == "event":
        return state.capacity, len(state.seated), len(state.queue)
    if what == "people":
        return tuple(sorted(state.seated)), state.queue
    if argument in state.queue:
        return "waitlisted", state.queue.index(argument) + 1
    return ("registered" if argument in state.seated else "none"), None
