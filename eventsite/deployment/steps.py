"""What becomes of one thing on AWS: the words in which a plan says it, and the carrying out of the same."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

MAKE, CHANGE, REMOVE, LEAVE, STOP = "make", "change", "remove", "leave", "stop"

Settings = dict[str, Any]
"""How a thing is set, as AWS tells it and takes it."""


class Step(NamedTuple):
    """What becomes of one thing."""

    verb: str
    what: str
    how: str = ""


class Unchangeable(Exception):
    """A thing is there and is not ours to change; the text says which, and how it is."""


class Part(Protocol):
    """A thing on AWS that a stage has, or shall not have any more."""

    fixed: bool
    """Whether it stays as it was made."""

    @property
    def what(self) -> str:
        """What it is called in a plan."""

    @property
    def wanted(self) -> Settings | None:
        """How it shall be set; None if it shall not be there."""

    def found(self) -> Settings | None:
        """How it is set now, at least what is wanted of it; None if it is not there."""

    def make(self) -> None:
        """Make it as it is wanted."""

    def change(self) -> None:
        """Set what is there as it is wanted."""

    def remove(self) -> None:
        """Take away what is there."""


def step(part: Part) -> Step | None:
    """What becomes of a part; None if it is not there and shall not be."""
    found, wanted = part.found(), part.wanted
    if found is None:
        return None if wanted is None else Step(MAKE, part.what)
    if wanted is None:
        return Step(REMOVE, part.what)
    differing = {name: value for name, value in wanted.items() if not _agrees(found.get(name), value)}
    changes = [f"{name} {_told(found.get(name))} → {_told(value)}" for name, value in differing.items()]
    verb = LEAVE if not changes else STOP if part.fixed else CHANGE
    return Step(verb, part.what, ", ".join(changes))


def take(parts: Iterable[Part]) -> Iterator[Step]:
    """Make and change the parts that are wanted, in their order; then remove the others, the last one first.

    Yields: each step that was taken. What is right is left alone. All parts are looked at before the first is touched.
    Raises: `Unchangeable`, before anything is touched.
    """
    steps = [(part, taken) for part in parts if (taken := step(part))]
    for _, taken in steps:
        if taken.verb == STOP:
            raise Unchangeable(f"{taken.what}: {taken.how}")
    kept = [each for each in steps if each[1].verb in (MAKE, CHANGE)]
    dropped = [each for each in reversed(steps) if each[1].verb == REMOVE]
    for part, taken in kept + dropped:
        _DOING[taken.verb](part)
        yield taken


_DOING: dict[str, Callable[[Part], None]] = {
    MAKE: lambda part: part.make(),
    CHANGE: lambda part: part.change(),
    REMOVE: lambda part: part.remove(),
}


def _agrees(found: Any, wanted: Any) -> bool:
    """Whether what is found is as it is wanted: AWS may tell more than was asked for, and numbers as text."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return all(_agrees(found.get(name), value) for name, value in wanted.items())
    return found == wanted or str(found) == str(wanted)


def _told(value: Any) -> str:
    return "nothing" if value in (None, "", {}, []) else str(value)
