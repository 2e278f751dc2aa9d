"""The state of a running request between two calls, in a form that can be compared."""

from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from types import FunctionType, GeneratorType, MethodType
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite.dynamodb.base_model import BaseModel

WITHOUT_EFFECT = {
    "_in_calls": {"outcome", "count", "send"},
    "retrying": {"number"},
}
"""By generator, the variables on which no later call depends: what was sent before, and the length of a wait.

A request that waits for another one and reads the same again is in the same state again.
"""


CONSTANTS = (type(None), bool, int, float, str, bytes)

Known = dict[int, tuple[Any, Any]]
"""What was met before in the same request, by its id: the thing, which thereby keeps its id, and its state."""


def remembered(thing: Any) -> Any:
    """Return the state of a running rule. Equal states continue in the same way."""
    return _plain(thing, {})


def _plain(value: Any, known: Known) -> Any:
    if isinstance(value, CONSTANTS):
        return value
    if id(value) not in known:
        known[id(value)] = value, "above"
        known[id(value)] = value, _parts(value, known)
    return known[id(value)][1]


def _frames(running: Any, known: Known) -> Iterator[Any]:
    while isinstance(running, GeneratorType):
        frame = running.gi_frame
        if frame is None:
            return
        code, without = running.gi_code, WITHOUT_EFFECT.get(running.gi_code.co_qualname, ())
        variables = [(name, _plain(value, known)) for name, value in frame.f_locals.items() if name not in without]
        yield code.co_qualname, frame.f_lasti, tuple(sorted(variables, key=itemgetter(0)))
        running = running.gi_yieldfrom


def _parts(value: Any, known: Known) -> Any:  # noqa: PLR0911, C901 (a table: what kinds of things there are)
    match value:
        case BaseModel():
            return type(value).__name__, repr(sorted(value.attribute_values.items()))
        case Condition() | Action():
            return repr(value)
        case dict():
            return tuple((str(key), _plain(value[key], known)) for key in sorted(value, key=str))
        case list() | tuple():
            return tuple(_plain(one, known) for one in value)
        case set() | frozenset():
            return tuple(sorted((_plain(one, known) for one in value), key=repr))
        case partial():
            return tuple(_plain(one, known) for one in (value.func, value.args, value.keywords))
        case FunctionType():
            cells = [_plain(cell.cell_contents, known) for cell in value.__closure__ or ()]
            return value.__qualname__, tuple(cells)
        case MethodType():
            return value.__qualname__, _plain(value.__self__, known)
        case GeneratorType():
            return tuple(_frames(value, known))
        case type():
            return value.__name__
        case BaseException():
            return repr(value)
    own = getattr(value, "__dict__", None)
    return type(value).__name__, _plain(own, known) if own else None
