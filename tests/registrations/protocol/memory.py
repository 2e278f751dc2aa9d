"""The state of a running request between two calls, in a form that can be compared."""

from collections.abc import Iterator
from functools import partial
from types import FunctionType, GeneratorType, MethodType
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite.dynamodb.base_model import BaseModel

WITHOUT_EFFECT = {
    "_in_calls": {"outcome", "count", "send"},
    "retrying": {"number"},
    "transact": {"waits", "outcome"},
}
"""By generator, the variables on which no later call depends: what was sent before, and the length of a wait.

A request that waits for another one and reads the same again is in the same state again.
"""


def remembered(thing: Any) -> Any:
    """Return the state of a running rule. Equal states continue in the same way."""
    if isinstance(thing, GeneratorType):
        return tuple(_frames(thing))
    return _plain(thing, ())


def _frames(running: Any) -> Iterator[Any]:
    while isinstance(running, GeneratorType):
        frame = running.gi_frame
        if frame is None:
            return
        code, without = running.gi_code, WITHOUT_EFFECT.get(running.gi_code.co_qualname, ())
        known = [(name, _plain(value, ())) for name, value in sorted(frame.f_locals.items()) if name not in without]
        yield code.co_qualname, frame.f_lasti, tuple(known)
        running = running.gi_yieldfrom


def _plain(value: Any, above: tuple[int, ...]) -> Any:  # noqa: PLR0911, C901, PLR0912 (a table: what kinds of things there are)
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if id(value) in above:
        return "above"
    above = (*above, id(value))
    match value:
        case BaseModel():
            return type(value).__name__, repr(sorted(value.attribute_values.items()))
        case Condition() | Action():
            return repr(value)
        case dict():
            return tuple((str(key), _plain(value[key], above)) for key in sorted(value, key=str))
        case list() | tuple():
            return tuple(_plain(one, above) for one in value)
        case set() | frozenset():
            return tuple(sorted((_plain(one, above) for one in value), key=repr))
        case partial():
            return _plain((value.func, value.args, value.keywords), above)
        case FunctionType():
            cells = [_plain(cell.cell_contents, above) for cell in value.__closure__ or ()]
            return value.__qualname__, tuple(cells)
        case MethodType():
            return value.__qualname__, _plain(value.__self__, above)
        case GeneratorType():
            return tuple(_frames(value))
        case type():
            return value.__name__
        case BaseException():
            return repr(value)
    own = getattr(value, "__dict__", None)
    return type(value).__name__, _plain(own, above) if own else None
