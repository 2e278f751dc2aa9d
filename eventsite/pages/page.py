"""The pages of the browsable API: one `Page` class for each route.

Each app registers its own in a module `browsable`: a `Page` for each of its routes, a `Part` for each addition to a
page of a lower app, and its entries of the navigation. These modules are imported when the first page is requested, so
that API calls have the shorter cold start.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.module_loading import autodiscover_modules
from rest_framework.request import Request

from eventsite.auth import authentication, login, permissions
from eventsite.auth.permissions import OWN_EVENT, Principal, Reach
from eventsite.errors import Refused
from eventsite.pages import submissions
from eventsite.pages.forms import Form, fields
from eventsite.web import pagination

Json = Any
NOT_TYPED = "Nothing was done: try again."


class Unconfirmed(Refused):
    """The user has to confirm a form first. Nothing has been done yet."""

    code = "unconfirmed"
    detail = "Are you sure?"


class GoneBack(Refused):
    """The user answered the question with no. The form is shown again as it was typed."""

    code = "gone_back"
    detail = "Nothing was changed."


@dataclass
class Link:
    label: str
    url: str
    current: bool = False
    about: str = ""
    """A description of the target, in a sentence."""


@dataclass
class Question:
    """The question that the user has to confirm before a change that is hard to undo."""

    title: str
    yes: str
    """The label of the button that confirms."""
    facts: list[str] = field(default_factory=list)
    """The consequences, with their figures, one sentence each."""
    query: str = ""
    """The query that a yes adds to the address."""


class Seen:
    """What a page and each of its parts can see: the view, the request and its user."""

    view: Any
    request: Request

    @property
    def kwargs(self) -> dict[str, str]:
        found: dict[str, str] = self.view.kwargs
        return found

    @property
    def principal(self) -> Principal | None:
        """The user, or None if no one is signed in. A form that may be forged acts for no user, and is shown to one."""
        return permissions.principal_of(self.request) or authentication.of_browser(self.request._request)

    @property
    def submission(self) -> submissions.Submission | None:
        """The form that was sent, or None if the request is not one."""
        return submissions.of(self.request)

    def stale(self, outcome: str = NOT_TYPED) -> str:
        """Return the sentence about a form that was opened before its user logged in, perhaps as another user."""
        return f"You logged in as {self.principal} after this page was opened. {outcome}"

    def reach(self, call: str) -> Reach:
        return permissions.reach(call, self.principal)

    def runs(self, call: str, event: Json) -> bool:
        """Return True if the user may make a call of the permission table on an event."""
        scope = permissions.scope(call, self.principal)
        return any(scope.may_touch(one) for one in (event["organizerId"], *event.get("organizers", ())))

    def owns(self, event: Json) -> bool:
        """Return True if the user may do what co-organizers of an event may not."""
        return permissions.scope(OWN_EVENT, self.principal).may_touch(event["organizerId"])


class _Hooks(Seen):
    """What a page and each of its parts may do. Each of these does nothing unless it is overridden."""

    def form(self, method: str) -> Form | None:
        """Return the empty form that sends a method to this route, or None if there is none."""
        return None

    def translate(self, values: QueryDict) -> None:
        """Convert the values of a form, in place, from what users type to what the API accepts.

        Raises:
            ValidationError: The form must not be sent as it is.
        """

    def outcome(self, data: Json) -> str:
        """Return the outcome of the form in sentences, from the answer of the API."""
        return ""


class Part(_Hooks):
    """An addition of an app to a page of a lower app."""

    template = ""
    place: ClassVar[int] = 0
    """The rank of the part on its page, ascending."""

    def __init_subclass__(cls, routes: Sequence[str] = (), **options: Any) -> None:
        super().__init_subclass__(**options)
        for route in routes:
            _parts.setdefault(route, []).append(cls)

    def __init__(self, page: "Page") -> None:
        self.page, self.view, self.request = page, page.view, page.request

    def context(self, data: Json) -> dict[str, Any] | None:
        """Return the context of the template for an answer of the API, or None to leave the part out."""
        return {}

    def marks(self, data: Json) -> dict[str, str]:
        """Return how the user is involved in the entries of a list, by the id of the entry."""
        return {}

    def prepare(self) -> None:
        """Read the current state before a form is executed. The permission check has passed already."""


class Page(_Hooks):
    """The page of one route.

    There is one instance for each answer, and one for each form before it is executed.
    """

    template = "eventsite/pages/data.html"
    name = ""
    """The title of the page if it does not depend on the answer."""
    labels: ClassVar[dict[str, str]] = {}
    """The labels of the fields of its forms, in order."""
    helps: ClassVar[dict[str, str]] = {}
    """The help texts of some of these fields."""
    field_of_code: ClassVar[dict[str, str]] = {}
    """The field to mark for a problem, by the code of the problem."""
    filter_labels: ClassVar[dict[str, str]] = {}
    """The labels of the query parameters that a form of the page sends."""
    signed_out = ""
    """The sentence for a visitor of one's own page who is signed out."""

    def __init_subclass__(cls, routes: Sequence[str] = (), **options: Any) -> None:
        super().__init_subclass__(**options)
        _pages.update(dict.fromkeys(routes, cls))

    def __init__(self, view: Any, request: Request, response: Any = None) -> None:
        self.view, self.request, self.response = view, request, response
        self.parts = [kind(self) for kind in sorted(_parts.get(_route(request), ()), key=lambda kind: kind.place)]

    @staticmethod
    def defaults(query: Any) -> dict[str, str]:
        """Return the query parameters to add where the query of the request has none."""
        return {}

    def title(self, data: Json) -> str:
        return self.name or str(self.view.get_view_name())

    def trail(self) -> list[Link]:
        """Return the links of the breadcrumb trail, from the top."""
        return []

    def context(self, data: Json) -> dict[str, Any]:
        """Return the context of the template for an answer of the API."""
        return {}

    def about(self, data: Json) -> str:
        """Return a description for link previews and search engines."""
        return ""

    def elsewhere(self) -> str:
        """Return the address of the page to show in place of this one, if there is one."""
        return ""

    def sent_form(self, method: str) -> Form | None:
        """Return the form that was sent, of a part or of the page, or None if there is none."""
        return next((form for part in self.parts if (form := part.form(method))), None) or self.form(method)

    def typed_form(self) -> Form | None:
        """Return the empty form that the user filled in and sent, or None if it was only a button."""
        form = self.sent_form(self.request.method or "")
        return form if form and self.submission and self.submission.fills(form.names) else None

    def sentence(self, data: Json) -> str:
        """Return the sentence for users about a problem, or an empty string for that of the API."""
        return ""

    def refused(self, data: Json) -> tuple[str, str] | None:
        """Return where to redirect the user after a refusal that has no page of its own.

        Returns:
            The address and the sentence to show there; None to show the refusal here.
        """
        return None

    def done(self, answer: HttpResponse) -> None:
        """Do the rest of the work of a form, after its action succeeded and before its redirect is sent."""

    def current(self) -> dict[str, Any] | None:
        """Return the resource that a form edits as it is now, or None if there is none."""
        return None

    def suggestions(self, data: Json) -> list[Form]:
        """Return forms that offer what the user may have meant by a form that a problem document refuses."""
        return []

    def question(self) -> Question | None:
        """Return the question to confirm before the form is executed, or None."""
        return None

    def outcome(self, data: Json) -> str:
        return "Done."

    def next_url(self, data: Json) -> str:
        return self.request.path

    def return_url(self, data: Json) -> str:
        """Return where to go after a form: the page that the form names (`_next`), else `next_url`."""
        named = self.submission.sent.get("_next", "") if self.submission else ""
        return login.own_page(self.request._request, named, self.next_url(data))

    def make_form(self, method: str, submit: str, values: Any = None) -> Form:
        """Make a form of this route, with the fields of the method's serializer in the order of `labels`."""
        serializer = self.view.serializers[self.view.action_map[method.lower()]](context={"request": self.request})
        return Form(self.request.path, submit, method, fields(serializer, self.labels, helps=self.helps, values=values))

    def in_format(self, name: str) -> str:
        """Return the address of the same answer in another format, or an empty string if it has no such format."""
        if name not in [renderer.format for renderer in self.view.get_renderers()]:
            return ""
        query = self.request.query_params.copy()
        for gone in pagination.OF_THE_PAGE:
            query.pop(gone, None)
        query["format"] = name
        return f"{self.request.path}?{query.urlencode()}"


_pages: dict[str, type[Page]] = {}
_parts: dict[str, list[type[Part]]] = {}
_navigation: list[tuple[int, Callable[[Seen], Link | None]]] = []


def navigation(place: int) -> Callable[[Callable[[Seen], Link | None]], Callable[[Seen], Link | None]]:
    """Register a function that returns the link of an entry for a user, or None. `place` is its rank, ascending."""

    def register(entry: Callable[[Seen], Link | None]) -> Callable[[Seen], Link | None]:
        _navigation.append((place, entry))
        return entry

    return register


@cache
def _discover() -> None:
    autodiscover_modules("browsable")


def of(view: Any, request: Request, response: Any = None) -> Page:
    """Return the page of a request and, once there is one, of its answer."""
    return _kind_of(request)(view, request, response)


def _kind_of(request: Request) -> type[Page]:
    _discover()
    return _pages.get(_route(request), Page)


def with_defaults(request: Request) -> Any:
    """Return the query parameters of a request for a page, with its defaults."""
    query = request.query_params.copy()
    for name, value in _kind_of(request).defaults(request.query_params).items():
        query.setdefault(name, value)
    return query


def navigation_links(seen: Seen) -> list[Link]:
    _discover()
    found = [entry(seen) for _, entry in sorted(_navigation, key=lambda pair: pair[0])]
    links = [link for link in found if link]
    for link in links:
        link.current = link.url == seen.request.path
    return links


def _route(request: Request) -> str:
    return (request.resolver_match and request.resolver_match.url_name) or ""


def url(route: str, *parts: str) -> str:
    return reverse(route, args=parts)
