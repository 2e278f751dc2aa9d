"""The pages of the browsable API: what a person sees at each route, and what a form there leads to.

Each app registers its own in a module `browsable`: a `Page` for each of its routes, a `Part` for what it adds to the
page of an app below it, and its entries of the navigation. Nothing of it is imported before the first page is asked
for: a cold start of a program's call pays nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import autodiscover_modules
from rest_framework.request import Request

from eventsite.auth import permissions
from eventsite.auth.permissions import Principal, Reach
from eventsite.errors import Refused
from eventsite.pages import humanize, submissions
from eventsite.pages.forms import Form, fields
from eventsite.web import pagination
from eventsite.web.fields import whole_number

Json = Any
P = TypeVar("P", bound="type[Page]")
Q = TypeVar("Q", bound="type[Part]")

MOST_ERRORS = 20
"""How many wrong values a page lists."""
PAGES_BACK = 30
"""How many pages of a list one can step back through."""


class Unconfirmed(Refused):
    """A form asks for something that a person should be sure of. Nothing has been done yet."""

    code = "unconfirmed"
    detail = "Are you sure?"


class GoneBack(Refused):
    """A person answered the question with no: the form is shown again as it was typed."""

    code = "gone_back"
    detail = "Nothing was changed."


@dataclass
class Link:
    """Somewhere to go."""

    label: str
    url: str
    current: bool = False
    about: str = ""
    """The current value, in a sentence."""


@dataclass
class Question:
    """What a person is asked before something is done that is hard to undo."""

    title: str
    yes: str
    """The label of the button."""
    facts: list[str] = field(default_factory=list)
    """What follows, with the figures."""
    query: str = ""
    """What the yes adds to the address."""


class Seen:
    """What pages and their parts have in common: who looks at what."""

    view: Any
    request: Request

    @property
    def kwargs(self) -> dict[str, str]:
        """The parts of the path."""
        found: dict[str, str] = self.view.kwargs
        return found

    @property
    def principal(self) -> Principal | None:
        """Who looks."""
        return permissions.principal_of(self.request)

    @property
    def submission(self) -> submissions.Submission | None:
        """The form that was sent, if there is one."""
        return submissions.of(self.request)

    def reach(self, call: str) -> Reach:
        """How far who looks gets with a call of the table."""
        return permissions.reach(call, self.principal)

    def owns(self, call: str, event: dict[str, Any]) -> bool:
        """Return whether the viewer may make a call about an event in the form of the API."""
        return permissions.scope(call, self.principal).reaches(_Shown(event))


@dataclass(frozen=True)
class _Shown:
    """An event as the API shows it."""

    event: dict[str, Any]

    def is_run_by(self, user_id: str) -> bool:
        """Return whether a user is its owner or a co-organizer."""
        return user_id in (self.event["organizerId"], *self.event.get("organizers", ()))


class Part(Seen):
    """What an app adds to the page of an app below it."""

    template = ""
    place: ClassVar[int] = 0
    """Parts come in this order."""

    def __init__(self, page: "Page") -> None:
        self.page, self.view, self.request = page, page.view, page.request

    def context(self, data: Json) -> dict[str, Any] | None:
        """Return the context of its template, or None if it has nothing to show. Takes: the answer of the API."""
        return {}

    def marks(self, data: Json) -> dict[str, str]:
        """Return what the reader has to do with entries of a list, by their ids."""
        return {}

    def prepare(self) -> None:
        """Read the current state before a form is executed. The caller may do what the form asks."""

    def told(self, data: Json) -> str:
        """Return the result that the page itself does not show."""
        return ""


class Page(Seen):
    """The page of one route. One is made for each answer, and for each form before it is executed."""

    template = "eventsite/pages/data.html"
    name = ""
    """The name of the page without an answer."""
    labels: ClassVar[dict[str, str]] = {}
    """The fields of its forms, in order, in people's words."""
    helps: ClassVar[dict[str, str]] = {}
    """Help texts below some of the fields."""
    field_of_code: ClassVar[dict[str, str]] = {}
    """The field of a problem with a code of its own."""

    def __init__(self, view: Any, request: Request, response: Any = None) -> None:
        self.view, self.request, self.response = view, request, response
        self.parts = [kind(self) for kind in sorted(_parts.get(_route(request), ()), key=lambda kind: kind.place)]

    @staticmethod
    def defaults(query: Any) -> dict[str, str]:
        """The query that is meant where nobody asked anything. Takes: the query parameters."""
        return {}

    def title(self, data: Json) -> str:
        """The heading."""
        return self.name or str(self.view.get_view_name())

    def trail(self) -> list[Link]:
        """The pages above this one."""
        return []

    def context(self, data: Json) -> dict[str, Any]:
        """What the template shows. Takes: the answer of the API."""
        return {}

    def about(self, data: Json) -> str:
        """Return a description for link previews and search engines."""
        return ""

    def elsewhere(self) -> str:
        """Return the address of the page to show in place of this one, if there is one."""
        return ""

    def form(self, method: str) -> Form | None:
        """Return the empty form that sends a method to this route, or None."""
        return None

    def check(self) -> None:
        """Refuse a form that no program would have sent, before its action runs. Raises `ValidationError`."""

    def translate(self, values: QueryDict) -> None:
        """Change what a form sends from what people type to what the API takes."""

    def refused(self, data: Json) -> tuple[str, str] | None:
        """Return the page and the sentence after a refusal without a page of its own."""
        return None

    def done(self) -> None:
        """Finish what the form began, after its action succeeded."""

    def current(self) -> dict[str, Any] | None:
        """Return the current state of the resource that a form changes."""
        return None

    def suggestions(self, data: Json) -> list[Form]:
        """What may have been meant by a form that was refused. Takes: the problem document."""
        return []

    def question(self) -> Question | None:
        """Return the question before the form that was sent is executed."""
        return None

    def told(self, data: Json) -> str:
        """What came of the form, in a sentence. Takes: the answer of the API."""
        return "Done."

    def next_url(self, data: Json) -> str:
        """The page to go on to after a form."""
        return self.request.path

    def make_form(self, method: str, submit: str, **options: Any) -> Form:
        """A form of this route, with the fields that `labels` names, of the serializer of the method's action."""
        action = self.view.action_map[method.lower()]
        values, errors = options.pop("values", None), options.pop("errors", ())
        serializer = self.view.serializers[action](context={"request": self.request})
        asked = fields(serializer, self.labels, helps=self.helps, values=values, errors=errors)
        return Form(self.request.path, submit, method, asked, **options)

    def shown_formats(self) -> set[str]:
        """The formats that this answer also comes in."""
        return {renderer.format for renderer in self.view.get_renderers()}

    def in_format(self, name: str) -> str:
        """The address of the same answer in another format."""
        query = self.request.query_params.copy()
        for gone in pagination.OF_THE_PAGE:
            query.pop(gone, None)
        query["format"] = name
        return f"{self.request.path}?{query.urlencode()}"


@dataclass
class Steps:
    """The way through a list that is longer than a page."""

    previous: str = ""
    next: str = ""
    before: int | None = 0
    """Return the number of entries on the pages before, if it is known."""

    def range(self, shown: int, whole: int | None = None) -> str:
        """Return ``101 to 200 of 1,240``, with a dash, for the entries here and, if known, their whole number."""
        if not shown or self.before is None:
            return ""
        last = self.before + shown
        found = f"{humanize.number(self.before + 1)}–{humanize.number(last)}"  # noqa: RUF001 (a range)
        return found if whole is None else f"{found} of {humanize.number(max(whole, last))}"


def steps(request: Request, response: Any) -> Steps:
    """The pages before and after this one.

    Cursors lead forward only, so the address of each page names those before it.
    """
    query = request.query_params.copy()
    passed, here = query.pop("back", []), query.get("cursor", "")
    limit = whole_number(query.get("limit", "")) or pagination.DEFAULT_LIMIT
    known = limit * (len(passed) + 1) if len(passed) < PAGES_BACK else None
    found = Steps(before=known if here else 0)
    if here:
        query["cursor"] = passed[-1] if passed else ""
        found.previous = _address(request, query, passed[:-1])
    if match := re.match(r"<[^>]+[?&]cursor=([^&>]+)", response.get("Link", "")):
        query["cursor"] = ""
        address = _address(request, query, [*passed, here][-PAGES_BACK:] if here else [])
        found.next = f"{address}{'&' if '?' in address else '?'}cursor={match[1]}"
    return found


def _address(request: Request, query: Any, passed: Sequence[str]) -> str:
    kept = [(name, value) for name, values in query.lists() for value in values if value]
    return address(request.path, kept + [("back", cursor) for cursor in passed])


def address(path: str, query: Any) -> str:
    """A path with its query."""
    return f"{path}?{urlencode(query)}" if query else path


_pages: dict[str, type[Page]] = {}
_parts: dict[str, list[type[Part]]] = {}
_navigation: list[tuple[int, Callable[[Seen], Link | None]]] = []


def page(*routes: str) -> Callable[[P], P]:
    """Register the page of some routes."""

    def register(kind: P) -> P:
        _pages.update(dict.fromkeys(routes, kind))
        return kind

    return register


def part(*routes: str) -> Callable[[Q], Q]:
    """Register a part of other apps' pages."""

    def register(kind: Q) -> Q:
        for route in routes:
            _parts.setdefault(route, []).append(kind)
        return kind

    return register


def navigation(place: int) -> Callable[[Callable[[Seen], Link | None]], Callable[[Seen], Link | None]]:
    """Register an entry of the navigation, which may depend on who looks."""

    def register(entry: Callable[[Seen], Link | None]) -> Callable[[Seen], Link | None]:
        _navigation.append((place, entry))
        return entry

    return register


@cache
def _discover() -> None:
    autodiscover_modules("browsable")


def of(view: Any, request: Request, response: Any = None) -> Page:
    """The page of a request, and of its answer once there is one."""
    return kind_of(_route(request))(view, request, response)


def kind_of(route: str) -> type[Page]:
    """The page of a route."""
    _discover()
    return _pages.get(route, Page)


def all_kinds() -> list[type[Page] | type[Part]]:
    """Return every page and every part that the apps have registered."""
    _discover()
    return [*dict.fromkeys(_pages.values()), *(kind for kinds in _parts.values() for kind in kinds)]


def with_defaults(request: Request) -> Any:
    """The query parameters of a request for a page, and those that are meant where nobody asked anything."""
    query = request.query_params.copy()
    for name, value in kind_of(_route(request)).defaults(request.query_params).items():
        query.setdefault(name, value)
    return query


def ways(seen: Seen) -> list[Link]:
    """The navigation of every page."""
    _discover()
    found = [entry(seen) for _, entry in sorted(_navigation, key=lambda pair: pair[0])]
    links = [link for link in found if link]
    for link in links:
        link.current = link.url == seen.request.path
    return links


def _route(request: Request) -> str:
    return (request.resolver_match and request.resolver_match.url_name) or ""


def url(route: str, *parts: str) -> str:
    """Return the address of a page, or an empty text if there is no such route."""
    try:
        return reverse(route, args=parts)
    except NoReverseMatch:
        return ""
