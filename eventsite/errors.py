"""What can go wrong, in the words of the domain.

Rules raise these; `eventsite.problems` alone knows which HTTP status each kind becomes.

    DomainError
    ├── Forbidden           the caller may not do this               403
    ├── Missing             it does not exist                        404
    ├── Refused             the rules or the state forbid it         409
    ├── Stale               it changed since the caller read it      412
    ├── Unprocessable       the values make no sense here            422
    │   └── WrongValues     the same, field by field
    └── Unavailable         DynamoDB does not answer in time         503
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """Something the caller can be told about: a machine word and a sentence for people."""

    code: str = "error"
    detail: ClassVar[str] = "The request could not be carried out."

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        self.sentence = detail or self.detail
        self.members = members  # further members of the problem document
        super().__init__(self.sentence)


def again(kind: str, code: str, sentence: str, members: dict[str, Any] | None = None) -> DomainError:
    """Return the error that a request led to before: of the same kind, with the same code and sentence."""
    error = {one.__name__: one for one in (Missing, Refused)}[kind](sentence, **(members or {}))
    error.code = code
    return error


class Forbidden(DomainError):
    """The caller is known, and may not do this."""

    code = "permission_denied"
    detail = "You may not do this."


class Missing(DomainError):
    """The thing asked for does not exist, or the caller may not know that it does."""

    code = "not_found"
    detail = "There is nothing here."


class Refused(DomainError):
    """The request is well formed, but the state of things forbids it."""

    code = "conflict"


class Stale(DomainError):
    """The caller's picture of the resource is out of date (RFC 9110, section 13.1.1)."""

    code = "precondition_failed"
    detail = "The resource has changed: its ETag is not the one in If-Match. Read it again."


class Unprocessable(DomainError):
    """The request is well formed, but its values cannot be used."""

    code = "validation_error"


class WrongValues(Unprocessable):
    """Some values cannot be used together, or not with what is stored. Says which: a sentence for each field."""

    detail = "Some values are missing or wrong; see errors."

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__()
        self.fields = fields


class Unavailable(DomainError):
    """DynamoDB is out of reach, or stayed busy until the request's time was up."""

    code = "service_unavailable"
    detail = "The service cannot reach its data right now. Nothing is lost; try again shortly."
