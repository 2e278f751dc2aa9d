"""Render the answers of the API as pages, and redirect after a form.

`prepare` runs before the action of a form, `follow` after it. `show` renders an answer, `lost` a problem that no view
produced.
"""

import json
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.messages import SUCCESS, WARNING
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponseRedirect
from django.template import loader
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from eventsite.auth import login
from eventsite.auth.permissions import Principal
from eventsite.pages import page as pages
from eventsite.pages import submissions
from eventsite.pages.forms import Field, Form, label_of
from eventsite.pages.page import GoneBack, Page, Question, Unconfirmed
from eventsite.problems import FORGED
from eventsite.text import MAX_CHARACTERS

SAID, MOST_SAID = ("_method", "_key", "_version", "_before", "_next", "_was"), 20_000
"""The internal fields that a form keeps when it is shown again, and the characters kept of each."""
UNCHANGED = "Nothing was changed."
STALE_TOKEN = "You signed in after this form was opened. Everything you typed is still here: send it again."  # noqa: S105
SENTENCES = {
    "validation_error": "Please check the fields marked below.",
    "not_authenticated": "You are signed out. Log in to go on; what you typed is kept.",
    "method_not_allowed": "This page cannot do that.",
    "permission_denied": "You may not do this.",
}
"""The sentence for users in place of the one for programs, by the code of the problem."""
ERRORS_OF_KINDS = {"number": "Enter a number.", "date": "Choose a date.", "datetime-local": "Choose a day and a time."}
ERRORS = {
    "A time needs both startTime and timeZone.": "Enter a start time and a time zone.",
    "An end needs a startTime and a timeZone.": "Enter a start time and a time zone, too.",
    "The request has no user to register: send userId.": "Enter a name or an e-mail address.",
}
"""The sentence for users at a field, by the sentence of the API."""
TITLES = {
    401: "You are signed out",
    403: "Not allowed",
    404: "There is nothing here",
    405: "This page cannot do that",
    412: "Changed meanwhile",
    422: "Something in the address is wrong",
    429: "Too many requests",
    503: "The service is busy",
}
"""The headings of problems that did not come from a form, by HTTP status."""


def show(data: Any, view: Any, request: Request, response: Any) -> str:
    """Return the HTML of an answer.

    The status is changed where a page needs another one: 302 for a page that is elsewhere, 200 for a question and for
    an answer without content.
    """
    page = pages.of(view, request, response)
    vars(response)["etag_tells_all"] = False  # a page is more than the version of what it shows
    if request.method in ("GET", "HEAD") and response.status_code < 300 and (target := page.elsewhere()):
        response.status_code, response.headers["Location"] = HTTPStatus.FOUND, target
        return ""
    shown = _problem(data, page, response) if response.status_code >= 400 else _success(data, page)
    told = _messages(request, response)
    template = loader.get_template(shown.pop("template"))
    html: str = template.render(_frame(page) | {"messages": told} | shown, request=request._request)
    if response.status_code == HTTPStatus.NO_CONTENT:
        response.status_code = HTTPStatus.OK
    return html


def _messages(request: Request, response: Any) -> list[Any]:
    """Return the messages of the form before this page, and remove them from the cookie."""
    if CookieStorage.cookie_name not in request.COOKIES:
        return []
    waiting = CookieStorage(request._request)
    told = list(waiting)
    waiting.update(response)
    return told


def _url(page: Page) -> str:
    """Return the address of the page for previews, without its query."""
    return str(page.request.build_absolute_uri(page.request.path))


def _frame(page: Page) -> dict[str, Any]:
    """Return the context that every page needs."""
    return {
        "navigation": pages.ways(page),
        "trail": page.trail(),
        "page": page,
        "user": page.principal,
        "with_token": settings.AUTH_MODE != "open",
        "address": _url(page),
        "return_to": _return_to(page),
        **login.offered(page.request._request),
    }


def _return_to(page: Page) -> str:
    """Return the page to open after the login: this one, or the one with the refused form."""
    request = page.request
    if request.method in ("GET", "HEAD"):
        return str(request.get_full_path())
    return submissions.way_back(request, page.next_url({}))


def _success(data: Any, page: Page) -> dict[str, Any]:
    if page.request.method not in ("GET", "HEAD"):  # a program that accepts HTML; `follow` redirects users
        return {"template": Page.template, "title": page.name or "Done", "data": data or {}}
    parts = [(part, part.context(data)) for part in page.parts]
    return {
        "template": page.template,
        "title": page.title(data),
        "data": data,
        "about": page.about(data),
        "json_url": page.in_format("json"),
        "parts": [{"template": part.template, **context} for part, context in parts if context is not None],
        **page.context(data),
    }


def _problem(data: Any, page: Page, response: Any) -> dict[str, Any]:
    submission = page.submission
    if data.get("code") == GoneBack.code and submission:
        response.status_code = HTTPStatus.OK
        return _form_again(data, page, submission)
    if data.get("code") == Unconfirmed.code and submission:
        response.status_code = HTTPStatus.OK
        return _confirmation(page, submission, submission.question)
    if data["status"] == HTTPStatus.PRECONDITION_FAILED and submission and (question := page.question()):
        return _stale_confirmation(page, submission, question)
    shown = {
        "template": "eventsite/pages/problem.html",
        "title": page.title(data) if submission else TITLES.get(data["status"], data["title"]),
        "title_prefix": "Error: ",
        "sentence": _sentence(data),
        "status": data["status"],
        "errors": [],
    }
    if submission and (form := _again(data, page, submission)):
        named = {one.name for one in form.fields}
        shown |= {"form": form, "focused": any(field.focus for field in form.fields)}
        shown |= {"suggestions": page.suggestions(data)}
        shown |= {"errors": [one for one in _errors(data, page) if one["field"] not in named]}
        if data["status"] == HTTPStatus.PRECONDITION_FAILED:
            shown |= _conflict(page, submission, form)
    elif not submission:
        shown["errors"] = _errors(data, page)
    return shown


def _sentence(data: Any) -> str:
    if data["detail"] == FORGED:
        return STALE_TOKEN
    errors = data.get("errors", [])
    if errors and all(not error["field"] for error in errors):
        return " ".join(error["detail"] for error in errors)
    return SENTENCES.get(data["code"]) or str(data["detail"])


def _form_again(data: Any, page: Page, submission: submissions.Submission) -> dict[str, Any]:
    """Show a form again as it was typed, after the user answered the question with no."""
    return {
        "template": "eventsite/pages/problem.html",
        "title": page.title(data),
        "sentence": "",
        "form": _again(data, page, submission),
    }


def _errors(data: Any, page: Page) -> list[dict[str, str]]:
    """Return the wrong fields of a problem document.

    The page assigns some problems to a field by their code (`Page.field_of_code`).
    """
    if field := page.field_of_code.get(data.get("code", "")):
        return [{"field": field, "detail": data["detail"]}]
    return list(data.get("errors", []))[: pages.MOST_ERRORS]


def _again(data: Any, page: Page, submission: submissions.Submission) -> Form | None:
    """Return the refused form with the typed values and the errors of its fields."""
    form = page.form(page.request.method or "")
    if form is None:
        return None
    wrong = {one["field"]: one for one in reversed(_errors(data, page))}
    for field in form.fields:
        field.value = submission.sent.get(field.name, "")[: field.attributes.get("maxlength", MAX_CHARACTERS)]
        field.error = _field_error(field, wrong[field.name]) if field.name in wrong else ""
        for option in field.options:
            option.chosen = option.value == field.value
    if wrong_field := next((field for field in form.fields if field.error), None):
        wrong_field.focus = True
    kept = {name: submission.sent.get(name, "") for name in ("_before", "_version", "_next") if name in submission.sent}
    form.hidden |= {name: value[:MOST_SAID] for name, value in kept.items()}
    return form


def _field_error(field: Field, error: dict[str, str]) -> str:
    """Return the sentence for users about a wrong field, in place of the one for programs."""
    kind, code = field.kind, error.get("code", "")
    if code in ("min_value", "max_value") and code[:3] in field.attributes:
        return f"Enter {field.attributes[code[:3]]} or {'more' if code == 'min_value' else 'less'}."
    if code in ("required", "blank", "null", "invalid") and kind in ERRORS_OF_KINDS:
        return ERRORS_OF_KINDS[kind]
    if code in ("required", "blank", "null"):
        return "Please fill this in."
    return ERRORS.get(error["detail"], error["detail"])


def _conflict(page: Page, submission: submissions.Submission, form: Form) -> dict[str, Any]:
    """Show the typed and the current values of an edit that was based on an old version.

    Fields that the user did not change get the current value.
    """
    now = page.current()
    if now is None:
        return {}
    differing = []
    for field in form.fields:
        present = _text(now.get(field.name))
        if not submission.is_changed(field.name):
            field.value = present
            for option in field.options:
                option.chosen = option.value == present
        elif field.value != present:
            differing.append({"label": field.label, "yours": _say(field.value), "now": _say(present)})
    form.hidden["_version"] = str(now["version"])
    form.hidden["_before"] = json.dumps({one.name: _text(now.get(one.name)) for one in form.fields})
    form.submit, form.buttons = "Save my changes", []
    return {
        "differing": differing,
        "title": "This was changed meanwhile",
        "template": "eventsite/pages/conflict.html",
    }


def _text(value: Any) -> str:
    from eventsite.pages.forms import text

    return text(value)


def _difference(label: str, now: str, before: str) -> str:
    return f"{label}: {_say(now)}, before: {_say(before)}."


def _say(value: str) -> str:
    return {"true": "yes", "false": "no", "": "(nothing)"}.get(value, value)


def _confirmation(page: Page, submission: submissions.Submission, question: Question) -> dict[str, Any]:
    form = page.form(page.request.method or "")
    kept = {*SAID, *(field.name for field in form.fields)} if form else set(SAID)
    sent = [(name, submission.sent.get(name, "")[:MOST_SAID]) for name in sorted(kept & set(submission.sent))]
    return {
        "template": "eventsite/pages/confirm.html",
        "title": question.title,
        "question": question,
        "sent": sent,
        "action": page.request.path + (f"?{question.query}" if question.query else ""),
        "form_again": bool(form and any(field.name in submission.sent for field in form.fields)),
        "back": submissions.way_back(page.request, page.next_url({})),
    }


def _stale_confirmation(page: Page, submission: submissions.Submission, question: Question) -> dict[str, Any]:
    """Ask again after another user's edit, and list the differences to the opened form."""
    now = page.current() or {}
    changed = [(name, before) for name, before in submission.before.items() if before != _text(now.get(name))]
    question.facts = [
        "This was changed after you opened the page. Nothing is done yet.",
        *(_difference(label_of(name, page.labels), _text(now.get(name)), old) for name, old in changed),
        *question.facts,
    ]
    submission.sent = submission.sent.copy()
    submission.sent["_version"] = str(now.get("version", ""))
    submission.sent["_before"] = json.dumps({name: _text(now.get(name)) for name in submission.before})
    return _confirmation(page, submission, question)


def prepare(view: Any, request: Request) -> None:
    """Check a form before its action runs, and ask the user to confirm it where that is needed.

    Raises:
        Unconfirmed: The user has not answered the question yet.
        GoneBack: The user answered it with no.
        ValidationError: The page refuses the form.
    """
    submission = submissions.of(request)
    if submission is None:
        return
    page = pages.of(view, request)
    submission.page = page
    if view.action is None:
        return  # the view refuses it
    page.check()
    values: Any = request.data  # the CSRF check may have parsed it already
    page.translate(values)
    if not view.reaches_target():
        return  # the action refuses it
    if submission.goes_back:
        raise GoneBack
    if not submission.confirmed and _is_valid(view, request):
        submission.question = page.question()
        if submission.question:
            raise Unconfirmed
    for part in page.parts:
        part.prepare()


def _is_valid(view: Any, request: Request) -> bool:
    """Return False if the action will refuse the values, so that no question is needed."""
    if request.method not in ("PUT", "PATCH"):
        return True
    try:
        view.body(partial=True)
    except ValidationError:
        return False
    return True


def follow(view: Any, request: Request, response: Any) -> Any:
    """Redirect after a form, with a message about its outcome.

    Returns:
        The redirect; the answer itself for a program, or for a problem that has to be shown with the form.
    """
    submission = submissions.of(request)
    if submission is None:
        return response
    page: Page = submission.page or pages.of(view, request)  # not set if the caller is signed out
    if response.status_code < 300:
        told = " ".join(filter(None, [page.told(response.data), *(part.told(response.data) for part in page.parts)]))
        page.done()
        return _redirect(request, page.next_url(response.data), told)
    if _is_done_already(page, submission, response):
        return _redirect(request, page.next_url({}), UNCHANGED, WARNING)
    if instead := page.refused(response.data) if isinstance(response.data, dict) else None:
        target, sentence = instead
        return _lead(request, target, sentence, WARNING)
    return response


def _is_done_already(page: Page, submission: submissions.Submission, response: Any) -> bool:
    """Return True if nothing was typed, or if the resource already has every typed value."""
    if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        return [error["code"] for error in response.data.get("errors", [])] == ["empty"]
    is_stale_edit = response.status_code == HTTPStatus.PRECONDITION_FAILED and page.request.method != "DELETE"
    now = page.current() if is_stale_edit else None
    return now is not None and all(_text(now.get(name)) == value for name, value in submission.values().items())


def _redirect(request: Request, url: str, message: str, level: int = SUCCESS) -> HttpResponseRedirect:
    return _lead(request, submissions.way_back(request, url), message, level)


def _lead(request: Request, url: str, message: str, level: int) -> HttpResponseRedirect:
    answer = HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)
    messages = CookieStorage(request._request)
    if message:
        messages.add(level, message)
    messages.update(answer)
    return answer


class _Lost(pages.Seen):
    """The user of a request that reached no view."""

    def __init__(self, request: Any) -> None:
        self.request = request

    @property
    def principal(self) -> Principal | None:
        """The user of the session, or None if there is no session."""
        return login.signed_in(self.request) if hasattr(self.request, "session") else None


def lost(request: Any, response: Any) -> str:
    """Return the HTML of a problem that no view produced, such as an unknown path."""
    problem = json.loads(response.content)
    reader = _Lost(request)
    context = {
        "title": TITLES.get(problem["status"], problem["title"]),
        "title_prefix": "Error: ",
        "sentence": SENTENCES.get(problem["code"], problem["detail"]),
        "return_to": request.get_full_path(),
        "status": problem["status"],
        "navigation": pages.ways(reader),
        "user": reader.principal,
        **login.offered(request),
    }
    html: str = loader.get_template("eventsite/pages/problem.html").render(context, request=request)
    return html
