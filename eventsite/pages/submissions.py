"""Convert the form of a page into the request that a program would have sent.

Browsers send forms by POST only. A form has the rest in fields whose names begin with an underscore, as no field of the
API does:

    _method     the HTTP method of the request
    _version    the version of the resource in the form; it becomes If-Match
    _key        an id of this form; it becomes Idempotency-Key, so that a form that is sent twice acts once
    _before     the values that the form showed, as JSON; only changed fields are sent
    _next       the page to go on to
    _was        the status of the registration that the form cancels
    _confirmed  the user answered the question with yes
    _back       the user answered the question with no; the form is shown again as it was typed

Browsers send each line break as CR and LF, and count it as one character. It becomes LF before validation.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, QueryDict

FORM = "application/x-www-form-urlencoded"
METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class Submission:
    """A form as a browser sent it."""

    sent: QueryDict
    """All its fields, including those with underscores."""
    before: dict[str, str] = field(default_factory=dict)
    """The values that the form showed."""
    page: Any = None
    """The `eventsite.pages.page.Page` that executes it; None until the caller is known."""
    question: Any = None
    """The `eventsite.pages.page.Question` to confirm first, or None."""

    @property
    def confirmed(self) -> bool:
        return "_confirmed" in self.sent

    @property
    def goes_back(self) -> bool:
        return "_back" in self.sent

    def is_changed(self, name: str) -> bool:
        """Return True if the user typed another value than the form showed."""
        return self.sent.get(name, "") != _plain(self.before.get(name, ""))

    def fills(self, names: set[str]) -> bool:
        """Return True if a form with these fields was sent. A button sends some, too, and shows only those before."""
        return not names.isdisjoint(self.sent) and (not self.before or names <= self.before.keys())

    def values(self) -> QueryDict:
        """Return the fields that a program would have sent: those that were filled in or changed."""
        found = QueryDict(mutable=True)
        for name, values in self.sent.lists():
            ours = name.startswith("_") or name == "csrfmiddlewaretoken"
            if not ours and (name not in self.before or self.is_changed(name)):
                found.setlist(name, values)
        return found


def of(request: Any) -> Submission | None:
    """Return the form of a request, or None."""
    found: Submission | None = getattr(request, "submission", None)
    return found


def unwrap(request: HttpRequest) -> None:
    """Convert the POST of a form into the request of a program, in place."""
    if request.method != "POST" or request.content_type != FORM:
        return
    sent = QueryDict(request.body, encoding=request.encoding or "utf-8", mutable=True)
    for name, values in sent.lists():
        sent.setlist(name, [_plain(value) for value in values])
    request.submission = Submission(sent, _object(sent.get("_before", "")))  # type: ignore[attr-defined]
    if (method := sent.get("_method", "").upper()) in METHODS:
        request.method = method
    request.META.pop("HTTP_PREFER", None)  # a page is always shown
    headers = {
        "HTTP_IF_MATCH": sent.get("_version") and f'"{sent["_version"]}"',
        "HTTP_IDEMPOTENCY_KEY": sent.get("_key"),
        "HTTP_X_CSRFTOKEN": sent.get("csrfmiddlewaretoken"),
    }
    request.META.update({name: value for name, value in headers.items() if value})
    request.__dict__.pop("headers", None)  # Django caches them from META


def _object(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")
