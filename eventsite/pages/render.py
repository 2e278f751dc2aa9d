"""Render the answers of the API as pages: `show` an answer, `show_problem` a problem that no view produced."""

import json
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.template import loader
from rest_framework.request import Request

from eventsite.auth import authentication, login
from eventsite.auth.permissions import Principal
from eventsite.pages import page as pages
from eventsite.pages.messages import Messages
from eventsite.pages.page import Page, Seen
from eventsite.pages.refusals import SENTENCES, STALE_TITLE, TITLES, below, problem
from eventsite.problems import FORGED


def show(data: Any, view: Any, request: Request, response: Any) -> str:
    """Return the HTML of an answer.

    The status is changed where a page needs another one: 302 for a page that is elsewhere, 200 for a question and for
    an answer without content.
    """
    page = pages.of(view, request, response)
    vars(response)["etag_covers_all"] = False  # a page is more than the version of what it shows
    if request.method in ("GET", "HEAD") and response.status_code < 300 and (target := page.elsewhere()):
        response.status_code, response.headers["Location"] = HTTPStatus.FOUND, target
        return ""
    shown = problem(data, page, response) if response.exception else _success(data, page)
    messages = _messages(request, response)
    template = loader.get_template(shown.pop("template"))
    html: str = template.render(_frame(page) | {"messages": messages} | shown, request=request._request)
    if response.status_code == HTTPStatus.NO_CONTENT:
        response.status_code = HTTPStatus.OK
    return html


def _messages(request: Request, response: Any) -> list[Any]:
    """Return the messages of the form before this page, and remove them from the cookie."""
    if Messages.cookie_name not in request.COOKIES:
        return []
    waiting = Messages(request._request)
    messages = list(waiting)
    waiting.update(response)
    return messages


def _frame(page: Page) -> dict[str, Any]:
    request = page.request
    is_read = request.method in ("GET", "HEAD")
    return {
        "navigation": pages.navigation_links(page),
        "user": page.principal,
        "trail": page.trail(),
        "page": page,
        "with_token": settings.AUTH_MODE != "open",
        "address": request.build_absolute_uri(request.path),
        "return_to": request.get_full_path() if is_read else page.return_url({}),  # after a login
    }


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


class _Reader(Seen):
    """The user of a request that reached no view."""

    def __init__(self, request: Any) -> None:
        self.request = request

    @property
    def principal(self) -> Principal | None:
        """The user of the session, or None if there is no session."""
        return authentication.of_browser(self.request)


def show_problem(request: Any, response: Any) -> str:
    """Return the HTML of a problem that no view produced, such as an unknown path."""
    problem, reader = json.loads(response.content), _Reader(request)
    title = TITLES.get(problem["status"], problem["title"])
    sentence = SENTENCES.get(problem["code"], problem["detail"])
    if problem["detail"] == FORGED and reader.principal and settings.AUTH_MODE != "open":
        title, sentence = STALE_TITLE, reader.stale()
    context = {
        "title": title,
        "title_prefix": "Error: ",
        "sentence": below(title, sentence),
        "status": problem["status"],
    }
    return show_template(request, "eventsite/pages/problem.html", context)


def show_template(request: Any, template: str, context: dict[str, Any]) -> str:
    """Return the HTML of a page that is no answer of the API, with the navigation of its user."""
    reader = _Reader(request)
    frame = {
        "navigation": pages.navigation_links(reader),
        "user": reader.principal,
        "return_to": login.page_to_return_to(request),
    }
    html: str = loader.get_template(template).render(frame | context, request=request)
    return html
