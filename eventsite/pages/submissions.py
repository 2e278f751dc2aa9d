"""What a form of a page becomes: the request that a program would have sent, and then the way back to a page.

Browsers send forms by POST alone. A form says the rest in fields whose names begin with an underscore, which no field
of the API does:

    _method     the method that is meant
    _version    the version that the form shows; it becomes If-Match
    _key        made for this form alone; it becomes Idempotency-Key, so a form that is sent twice acts once
    _before     the values that the form showed, as JSON: what was not changed is not sent
    _next       the page to go on to
    _confirmed  there was a question, and the answer is yes
"""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme

FORM = "application/x-www-form-urlencoded"
METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class Submission:
    """A form that was sent."""

    sent: QueryDict
    """Everything in it, the fields with underscores too."""
    before: dict[str, str] = field(default_factory=dict)
    """The values that it showed."""
    page: Any = None
    """The page that it came to, once the caller may send it (`eventsite.pages.page.Page`)."""
    question: Any = None
    """What is asked before anything is done (`eventsite.pages.page.Question`)."""

    @property
    def confirmed(self) -> bool:
        """Whether it answers the question."""
        return "_confirmed" in self.sent

    def is_changed(self, name: str) -> bool:
        """Whether the person typed another value than the form showed."""
        return _plain(self.sent.get(name, "")) != _plain(self.before.get(name, ""))

    def values(self) -> QueryDict:
        """What a program would have sent: the fields of the API that were filled in or changed."""
        found = QueryDict(mutable=True)
        for name, values in self.sent.lists():
            ours = name.startswith("_") or name == "csrfmiddlewaretoken"
            if not ours and (name not in self.before or self.is_changed(name)):
                found.setlist(name, values)
        return found


def of(request: Any) -> Submission | None:
    """The form that this request came from, if it did."""
    found: Submission | None = getattr(request, "submission", None)
    return found


def unwrap(request: HttpRequest) -> None:
    """Turn the POST of a form into the request that it means."""
    if request.method != "POST" or request.content_type != FORM:
        return
    sent = QueryDict(request.body, encoding=request.encoding or "utf-8")
    request.submission = Submission(sent, _object(sent.get("_before", "")))  # type: ignore[attr-defined]
    if (method := sent.get("_method", "").upper()) in METHODS:
        request.method = method
    headers = {
        "HTTP_IF_MATCH": sent.get("_version") and f'"{sent["_version"]}"',
        "HTTP_IDEMPOTENCY_KEY": sent.get("_key"),
        "HTTP_X_CSRFTOKEN": sent.get("csrfmiddlewaretoken"),
    }
    request.META.update({name: value for name, value in headers.items() if value})
    request.__dict__.pop("headers", None)  # which Django makes from META once


def way_back(request: Any, otherwise: str) -> str:
    """The page that a form asked to go on to, if it is one of ours."""
    submission = of(request)
    page = submission.sent.get("_next", "") if submission else ""
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if ours else otherwise


def _object(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _plain(text: str) -> str:
    """Browsers send every line break as two characters."""
    return text.replace("\r\n", "\n")
