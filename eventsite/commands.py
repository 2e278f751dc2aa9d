"""Commands of a lower app to a higher one. Each calls the function that the higher app has registered for it.

    @command
    def drain(seats: Seats) -> None:
        "Apply the commit log."     # in the lower app, which calls drain(seats)

    drain.is_done_by(seating.drain)     # in the higher app

A signal is for a fact, which any number of receivers may learn. A command has exactly one function, whose result and
exceptions reach the caller.
"""

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class command(Generic[P, T]):  # noqa: N801 (a decorator)
    """Make a command of a function that has only a signature."""

    def __init__(self, signature: Callable[P, T]) -> None:
        self._does_it = signature
        self.__doc__ = signature.__doc__

    def is_done_by(self, function: Callable[P, T]) -> None:
        self._does_it = function

    def __call__(self, *args: P.args, **options: P.kwargs) -> T:
        return self._does_it(*args, **options)
