"""Handle the form of a page: check and confirm it before its action, redirect after it."""

from http import HTTPStatus
from typing import Any

from django.contrib.messages import SUCCESS, WARNING
from django.http import HttpResponseRedirect
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from eventsite.pages import page as pages
from eventsite.pages.forms import text
from eventsite.pages.messages import Messages
from eventsite.pages.page import GoneBack, Page, Unconfirmed
from eventsite.pages.submissions import Submission
from eventsite.problems import FORGED

UNCHANGED = "Nothing was changed."


def prepare(view: Any, request: Request, submission: Submission) -> None:
    """Check a form before its action runs, and ask the user to confirm it where that is needed.

    Raises:
        Unconfirmed: The user has not answered the question yet.
        GoneBack: The user answered it with no.
        ValidationError: The page refuses the form.
    """
    page = pages.of(view, request)
    submission.page = page
    if view.action is None:
        return  # the view refuses it
    values: Any = request.data  # the CSRF check may have parsed it already
    for one in (page, *page.parts):
        one.translate(values)
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


def follow(view: Any, request: Request, submission: Submission, response: Any) -> Any:
    """Return the redirect after a form, with a message. A problem that is shown with the form stays as it is."""
    page: Page = submission.page or pages.of(view, request)  # not set if the caller is signed out
    if response.status_code < 300:
        outcome = " ".join(filter(None, [one.outcome(response.data) for one in (page, *page.parts)]))
        answer = _redirect(request, page.return_url(response.data), outcome)
        page.done(answer)
        return answer
    if response.data["detail"] == FORGED and page.typed_form() is None:
        return _redirect(request, page.return_url({}), page.stale(), WARNING)
    if _is_done_already(page, submission, response):
        return _redirect(request, page.return_url({}), UNCHANGED, WARNING)
    if instead := page.refused(response.data) if isinstance(response.data, dict) else None:
        return _redirect(request, *instead, WARNING)
    return response


def _is_done_already(page: Page, submission: Submission, response: Any) -> bool:
    """Return True if nothing was typed, or if the resource already has every typed value."""
    if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        return [error["code"] for error in response.data.get("errors", [])] == ["empty"]
    is_stale_edit = response.status_code == HTTPStatus.PRECONDITION_FAILED and page.request.method != "DELETE"
    now = page.current() if is_stale_edit else None
    return now is not None and all(text(now.get(name)) == value for name, value in submission.values().items())


def _redirect(request: Request, url: str, message: str, level: int = SUCCESS) -> HttpResponseRedirect:
    answer = HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)
    messages = Messages(request._request)
    if message:
        messages.add(level, message)
    messages.update(answer)
    return answer
