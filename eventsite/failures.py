"""What the operator is told about a failure: its kind and its place, never its message.

The messages of exceptions quote what was being worked on: ids, names, tokens, whole requests.
"""

import logging
import traceback
from pathlib import Path

logger = logging.getLogger(__name__)

FRAMES = 12
"""How many of the calls that led to a failure are told, from the last one backwards."""


def tell(error: BaseException, what: str = "a defect") -> None:
    """Log a failure. `what` says what it means to the service."""
    chain = [one for one in (error, error.__cause__) if one]
    kinds = [type(one).__qualname__ for one in chain]
    code = next(filter(None, map(_code, chain)), None)
    frames = reversed(traceback.extract_tb(error.__traceback__)[-FRAMES:])
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    logger.error("%s: %s at %s", what, " from ".join([*kinds, *([code] if code else [])]), " < ".join(places))


def _code(error: BaseException) -> str | None:
    """AWS's word for an error; None for one of somebody else's."""
    response = getattr(error, "response", None)
    word = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return getattr(error, "cause_response_code", None) or word
