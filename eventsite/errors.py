"""The errors of the domain.

Rules raise them. Only `eventsite.problems` maps them to HTTP statuses.

    DomainError
    ├── Forbidden           the caller may not do this               403
    ├── Missing             it does not exist                        404
    ├── Refused             the rules or the state forbid it         409
    ├── LimitReached        it was done too often                    429
    ├── Stale               it changed since the caller read it      412
    ├── Unprocessable       the values cannot be used                422
    │   └── WrongValues     the same, field by field
    └── Unavailable         DynamoDB does not answer in time         503
"""

import logging
import time
import traceback
from pathlib import Path
from typing import Any, ClassVar

logger = logging.getLogger(__name__)

DAY = 24 * 60 * 60  # seconds
FRAMES = 12  # the number of stack frames that are logged, from the last call backwards


class DomainError(Exception):
    """An error for the caller, with a code for programs and a sentence for users."""

    code: str = "error"
    detail: ClassVar[str] = "The request failed."

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        self.sentence = detail or self.detail
        self.members = members  # further members of the problem document
        super().__init__(self.sentence)


class Forbidden(DomainError):
    code = "permission_denied"
    detail = "You may not do this."


class Missing(DomainError):
    code = "not_found"
    detail = "There is nothing here."


class Refused(DomainError):
    code = "conflict"


class LimitReached(DomainError):
    code = "limit_reached"
    detail = "This was done too often today."

    @property
    def wait(self) -> float:
        """Return the seconds until the next day begins (UTC)."""
        return DAY - time.time() % DAY


class Stale(DomainError):
    code = "precondition_failed"
    detail = "The resource has changed: its ETag is not the one in If-Match. Read it again."


class Unprocessable(DomainError):
    code = "validation_error"


class WrongValues(Unprocessable):
    """Some values do not fit together or with the stored ones. `fields` has a sentence for each field."""

    detail = "Some values are missing or wrong; see errors."

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(errors=[{"field": name, "code": "invalid", "detail": why} for name, why in fields.items()])
        self.fields = fields


class Unavailable(DomainError):
    code = "service_unavailable"
    detail = "The service cannot reach its data right now. Nothing is lost; try again shortly."


def log_exception(error: BaseException, what: str = "a defect") -> None:
    """Log the kind and the place of an exception, never its message, which may quote ids, names or tokens.

    `what` is the meaning of the failure for the service.
    """
    chain = [one for one in (error, error.__cause__) if one]
    kinds = [type(one).__qualname__ for one in chain]
    code = next(filter(None, map(_code, chain)), None)
    frames = reversed(traceback.extract_tb(error.__traceback__)[-FRAMES:])
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    logger.error("%s: %s at %s", what, " from ".join([*kinds, *([code] if code else [])]), " < ".join(places))


def _code(error: BaseException) -> str | None:
    """Return AWS's code of an error, or None if the error is not AWS's."""
    response = getattr(error, "response", None)
    word = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return getattr(error, "cause_response_code", None) or word
