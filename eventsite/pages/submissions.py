"""Turn the form of a page into the request that a program would have sent.

Browsers send forms by POST alone. A form says the rest in fields whose names begin with an underscore, which no field
of the API does:

    _method     the method that is meant
    _version    the version that the form shows; it becomes If-Match
    _key        made for this form alone; it becomes Idempotency-Key, so a form that is sent twice acts once
    _before     the values that the form showed, as JSON: what was not changed is not sent
    _next       the page to go on to
    _was        the status of the registration that it gives up
    _confirmed  there was a question, and the answer is yes
    _back       there was a question, and the answer is no: show the form again, as it was typed

Browsers send each line break as CR and LF, and count it as one character. It becomes LF before anything is judged.
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
    """Everything in it, including the fields with underscores."""
    before: dict[str, str] = field(default_factory=dict)
    """The values that the form showed."""
    page: Any = None
    """The page that carries it out, once the caller is known (`eventsite.pages.page.Page`)."""
    question: Any = None
    """The question that comes before anything is done (`eventsite.pages.page.Question`)."""

    @property
    def confirmed(self) -> bool:
        """True if the person has answered the question with yes."""
        return "_confirmed" in self.sent

    @property
    def goes_back(self) -> bool:
        """True if the person has answered the question with no."""
        return "_back" in self.sent

    def is_changed(self, name: str) -> bool:
        """Return True if the person typed another value than the form showed."""
        return self.sent.get(name, "") != _plain(self.before.get(name, ""))

    def values(self) -> QueryDict:
        """Return what a program would have sent: the fields of the API that were filled in or changed."""
        found = QueryDict(mutable=True)
        for name, values in self.sent.lists():
            ours = name.startswith("_") or name == "csrfmiddlewaretoken"
            if not ours and (name not in self.before or self.is_changed(name)):
                found.setlist(name, values)
        return found


def of(request: Any) -> Submission | None:
    """Return the form that this request came from, or None."""
    found: Submission | None = getattr(request, "submission", None)
    return found


def unwrap(request: HttpRequest) -> None:
    """Turn the POST of a form into the request that it means."""
    if request.method != "POST" or request.content_type != FORM:
        return
    sent = QueryDict(request.body, encoding=request.encoding or "utf-8", mutable=True)
    for name, values in sent.lists():
        sent.setlist(name, [_plain(value) for value in values])
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
    """Return the page that a form asked to go on to. A page of another site is replaced."""
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
    return text.replace("\r\n", "\n")
