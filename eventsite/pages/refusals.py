"""Show problems: in sentences for users, with the form as it was typed, or with a question to confirm."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from eventsite.pages.forms import Field, Form, label_of, text
from eventsite.pages.page import NOT_TYPED, GoneBack, Page, Question, Unconfirmed
from eventsite.pages.submissions import Submission
from eventsite.pages.viewsets import NO_ONE_IS_ME
from eventsite.problems import FORGED
from eventsite.text import MAX_CHARACTERS, humanize

KEPT_FIELDS, MOST_KEPT = ("_method", "_key", "_version", "_before", "_next", "_was"), 20_000
"""The internal fields that a form keeps when it is shown again, and the characters kept of each."""
STALE_TITLE = "You logged in meanwhile"
TYPED = "Everything you typed is still here: send it again."
SIGNED_OUT = "You are signed out. Log in to go on."
SENTENCES = {
    "validation_error": "Please check the fields marked below.",
    "not_authenticated": "You are signed out. Log in to go on; what you typed is kept.",
    "method_not_allowed": "This page cannot do that.",
    "permission_denied": "You may not do this.",
    "idempotency_key_reused": "What you sent before was done after all. If you want this as well, send it again.",
    "invalid_cursor": "This page of the list is not there any more. Start again from its beginning.",
}
"""The sentence for users in place of the one for programs, by the code of the problem."""
MISSING_OF_KINDS = {"number": "Enter a number.", "date": "Choose a date.", "datetime-local": "Choose a day and a time."}
ERRORS = {
    "A time needs both startTime and timeZone.": "Enter a start time and a time zone.",
    "An end needs a startTime and a timeZone.": "Enter a start time and a time zone, too.",
    "An id is 1 to 128 letters, digits, underscores or dashes.": "Use only letters, digits, dashes and underscores.",
    "There is already an event with this id.": "This link name is taken.",
    "There is already a user with this id.": "This id is taken.",
    "This must be an e-mail address.": "Enter an e-mail address.",
    "This must be the IANA name of a time zone, such as Europe/Berlin.": "Enter a time zone such as Europe/Berlin.",
    "A valid integer is required.": "Enter a number.",
    "This must be a day of the calendar, as YYYY-MM-DD.": "Choose a date.",
    "This must be a time of day, as HH:MM.": "Enter a time.",
    "This must be a moment with an offset from UTC, such as 2027-01-31T10:00:00+01:00.": "Choose a day and a time.",
    "It cannot end before it starts. If it ends on the next day, set endDate to that day or leave it out.": (
        "It cannot end before it starts. If it ends on the next day, choose that as its last day, or leave that empty."
    ),
    "Registration has to close after it opens.": "Sign-up has to close after it opens.",
}
"""The sentence for users at a field, by the sentence of the API."""
MOST_ERRORS = 20
"""The number of wrong values that a page lists at most."""
BOUND = re.compile(r"Ensure this value is (less|greater) than or equal to (\d+)\.")
TO_READ = {"not_authenticated": "Log in to see this page.", "validation_error": "These values cannot be used."}
"""The sentence for users where no form was sent, by the code of the problem."""
TITLES = {
    400: "That did not work",
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


def problem(data: Any, page: Page, response: Any) -> dict[str, Any]:
    """Return the context of a page about a problem document. The status is 200 for a question and for a no to it."""
    submission, is_stale = page.submission, data["status"] == HTTPStatus.PRECONDITION_FAILED
    shown = {
        "template": "eventsite/pages/problem.html",
        "title": page.title(data) if submission else TITLES.get(data["status"], data["title"]),
        "title_prefix": "Error: ",
        "sentence": _sentence(data, page),
        "status": data["status"],
        "errors": [],
    }
    if submission is None:
        return shown | _unread(data, page, shown)
    if data["code"] == Unconfirmed.code:
        response.status_code = HTTPStatus.OK
        return _confirmation(page, submission, submission.question)
    if is_stale and (question := page.question()):
        return _stale_confirmation(page, submission, question)
    form = _again(data, page, submission)
    if data["code"] == GoneBack.code:
        response.status_code = HTTPStatus.OK
        return shown | {"title_prefix": "", "sentence": "", "status": HTTPStatus.OK, "form": form}
    if form:
        shown |= {"form": form, "focused": any(field.focus for field in form.fields)}
        shown["suggestions"] = page.suggestions(data)
        shown["errors"] = _listed([one for one in _errors(data, page) if one["field"] not in form.names], page.labels)
        return shown | (_conflict(page, submission, form) if is_stale else {})
    errors = _listed(data.get("errors", []), page.labels)
    return shown | ({"errors": errors, "sentence": TO_READ["validation_error"]} if errors else {})


def _unread(data: Any, page: Page, shown: dict[str, Any]) -> dict[str, Any]:
    """Return what differs where no form was sent: the wrong values are listed."""
    return {
        "errors": _listed(_errors(data, page), page.filter_labels),
        "sentence": below(shown["title"], shown["sentence"]),
    }


def _listed(wrong: list[dict[str, str]], labels: Mapping[str, str]) -> list[dict[str, str]]:
    """Return wrong values for a list. Those of no field are in the sentence of the page."""
    if not any(error["field"] for error in wrong):
        return []
    return [
        {"field": error["field"] and label_of(error["field"], labels), "detail": _plain(error["detail"])}
        for error in wrong[:MOST_ERRORS]
    ]


def below(heading: str, sentence: str) -> str:
    """Return the sentence to show below a heading: none if it repeats the heading."""
    return "" if sentence == f"{heading}." else sentence


def _sentence(data: Any, page: Page) -> str:
    if data["detail"] == FORGED:
        return page.stale(NOT_TYPED if page.typed_form() is None else TYPED)
    if page.submission and data["code"] == "not_authenticated" and page.typed_form() is None:
        return SIGNED_OUT
    if data["detail"] == NO_ONE_IS_ME and not page.submission and page.signed_out:
        return page.signed_out
    errors = data.get("errors", [])
    if errors and all(not error["field"] for error in errors):
        return " ".join(error["detail"] for error in errors)
    if page.submission and data["code"] in page.field_of_code:
        return SENTENCES["validation_error"]  # the sentence is at the field
    usual = SENTENCES if page.submission else SENTENCES | TO_READ
    return page.sentence(data) or usual.get(data["code"]) or str(data["detail"])


def _errors(data: Any, page: Page) -> list[dict[str, str]]:
    """Return the wrong fields of a problem document.

    The page assigns some problems to a field by their code (`Page.field_of_code`).
    """
    if field := page.field_of_code.get(data.get("code", "")):
        return [{"field": field, "detail": page.sentence(data) or data["detail"]}]
    return list(data.get("errors", []))[:MOST_ERRORS]


def _again(data: Any, page: Page, submission: Submission) -> Form | None:
    """Return the refused form with the typed values and the errors of its fields, or None without one."""
    form = page.sent_form(page.request.method or "")
    if form is None or not _is_needed(form, data, page, submission):
        return None
    wrong = {one["field"]: one for one in reversed(_errors(data, page))}
    for field in form.fields:
        field.fill(submission.sent.get(field.name, "")[: field.attributes.get("maxlength", MAX_CHARACTERS)])
        field.error = _field_error(field, wrong[field.name]) if field.name in wrong else ""
    if wrong_field := next((field for field in form.fields if field.error), None):
        wrong_field.focus = True
    is_unanswered = data["status"] == HTTPStatus.SERVICE_UNAVAILABLE  # it may have been executed
    kept = ["_before", "_version", "_next", *(["_key"] if is_unanswered else [])]
    kept = [name for name in kept if name in submission.sent]
    form.hidden |= {name: submission.sent.get(name, "")[:MOST_KEPT] for name in kept}
    return form


def _is_needed(form: Form, data: Any, page: Page, submission: Submission) -> bool:
    """Return True if the user filled in the form, or has to. Of a button, only a conflict needs it."""
    if data["status"] == HTTPStatus.PRECONDITION_FAILED or submission.fills(form.names):
        return True
    return not submission.before and any(one["field"] in form.names for one in _errors(data, page))


def _field_error(field: Field, error: dict[str, str]) -> str:
    kind, code = field.kind, error.get("code", "")
    if code in ("required", "blank", "null"):
        return MISSING_OF_KINDS.get(kind, "Please fill this in.")
    return _plain(error["detail"])


def _plain(sentence: str) -> str:
    """Return a sentence about a wrong value for users, in place of the one for programs."""
    if found := BOUND.fullmatch(sentence):
        return f"Enter {humanize.number(int(found[2]))} or {'less' if found[1] == 'less' else 'more'}."
    return ERRORS.get(sentence, sentence)


def _conflict(page: Page, submission: Submission, form: Form) -> dict[str, Any]:
    """Show the typed and the current values of an edit that was based on an old version.

    Fields that the user did not change get the current value.
    """
    now = page.current()
    if now is None:
        return {}
    differing = []
    for field in form.fields:
        present = text(now.get(field.name))
        is_shown = field.name not in submission.sent or field.name in submission.before
        if is_shown and not submission.is_changed(field.name):
            field.fill(present)
        elif field.value != present:
            differing.append({"label": field.label, "yours": _in_words(field.value), "now": _in_words(present)})
    form.hidden["_version"] = str(now["version"])
    form.hidden["_before"] = json.dumps({one.name: text(now.get(one.name)) for one in form.fields})
    form.submit, form.buttons = "Save my changes", []
    return {"differing": differing, "title": "This was changed meanwhile", "template": "eventsite/pages/conflict.html"}


def _in_words(value: str) -> str:
    return {"true": "yes", "false": "no", "": "(nothing)"}.get(value, value)


def _confirmation(page: Page, submission: Submission, question: Question) -> dict[str, Any]:
    form = page.sent_form(page.request.method or "")
    kept = {*KEPT_FIELDS, *form.hidden, *form.names} if form else set(KEPT_FIELDS)
    sent = [(name, submission.sent.get(name, "")[:MOST_KEPT]) for name in sorted(kept & set(submission.sent))]
    return {
        "template": "eventsite/pages/confirm.html",
        "title": question.title,
        "question": question,
        "sent": sent,
        "action": page.request.path + (f"?{question.query}" if question.query else ""),
        "form_again": page.typed_form() is not None,
        "back": page.return_url({}),
    }


def _stale_confirmation(page: Page, submission: Submission, question: Question) -> dict[str, Any]:
    """Ask again after another user's edit, and list the differences to the opened form."""
    now = page.current() or {}
    changed = [(name, before) for name, before in submission.before.items() if before != text(now.get(name))]
    question.facts = [
        "This was changed after you opened the page. Nothing is done yet.",
        *(
            f"{label_of(name, page.labels)}: {_in_words(text(now.get(name)))}, before: {_in_words(before)}."
            for name, before in changed
        ),
        *question.facts,
    ]
    submission.sent = submission.sent.copy()
    submission.sent["_version"] = str(now.get("version", ""))
    submission.sent["_before"] = json.dumps({name: text(now.get(name)) for name in submission.before})
    return _confirmation(page, submission, question)
