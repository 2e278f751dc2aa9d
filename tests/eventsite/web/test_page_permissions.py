"""A page shows no more than the API: each form of each route has the same status for each caller."""

import itertools
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils.module_loading import autodiscover_modules
from pytest_django.fixtures import Settings

from eventsite.auth.permissions import Principal
from tests.api import EVENT, Api
from tests.pages import ACCEPT, FORM
from tests.signing_in import Acting, As, adam, alice, olivia, oscar

pytestmark = pytest.mark.usefixtures("cognito")

CALLERS = {"anonymous": lambda: None, "alice": alice, "olivia": olivia, "oscar": oscar, "adam": adam}
ROUTES = [
    "/",
    "/health",
    "/events",
    "/events/party",
    "/events/secret",
    "/events/nothing",
    "/events/party/registrations",
    "/events/secret/registrations",
    "/events/party/waitlist",
    "/events/party/register",
    "/events/party/registrations/dave",
    "/events/secret/registrations/dave",
    "/events/party/registrations/nobody",
    "/events/party/register/dave",
    "/users",
    "/users/dave",
    "/users/nobody",
    "/users/me",
    "/users/dave/registrations",
    "/users/dave/waitlists",
]
METHODS: dict[str, list[dict[str, str]]] = {
    "POST": [{}],
    "PUT": [{"capacity": "0", "name": "New"}, {"status": "cancelled", "name": "New"}],
    "DELETE": [{}],
}
"""What can be meant by a form, and what may be in it."""
NAMES = {"secret party": "/events/secret", "dave dawson": "/users/dave"}
"""What only some may know, and where they read it."""


def prepare() -> None:
    """Make olivia's event and her draft, both with people in them."""
    organizer, admin = As(olivia().access), As(adam().access)
    for user, name in (("dave", "Dave Dawson"), ("erin", "Erin Ericson")):
        admin.post("/users", {"userId": user, "name": name})
    for event, title in (("party", "Party"), ("secret", "Secret party")):
        organizer.post("/events", EVENT | {"eventId": event, "title": title, "capacity": 1})
        for user in ("dave", "erin"):
            organizer.register(event, user)
    organizer.patch("/events/secret", {"status": "draft"})


def send(caller: Api, path: str, method: str, fields: dict[str, str]) -> tuple[Any, Any]:
    """Send a request as a program, then the same as a form, which nothing but the first may have changed."""
    body: dict[str, Any] = {name: int(value) if name == "capacity" else value for name, value in fields.items()}
    form = urlencode({"_method": method} | fields)
    page = caller.call("POST", path, raw=form, content_type=FORM, accept=ACCEPT)
    return caller.call(method, path, body or None), page


@pytest.mark.parametrize("who", [*CALLERS, "acting"])
@pytest.mark.parametrize("method", METHODS)
def test_a_form_is_answered_as_the_request_that_it_means(who: str, method: str, settings: Settings) -> None:
    caller: Api = Acting("ada")
    if who == "acting":
        settings.AUTH_MODE = "open"
    else:
        person = CALLERS[who]()
        caller = As(person and person.access)
    prepare()
    for path, fields in itertools.product(ROUTES, METHODS[method]):
        plain, page = send(caller, path, method, fields)
        where = (path, fields, plain.status_code, page.status_code)
        if plain.status_code == 401 and page.status_code == 303:
            assert page.headers["Location"].startswith("/login?next="), where
        elif plain.status_code in (401, 403, 404, 405):
            assert page.status_code == plain.status_code, where
            _names_nothing(caller, page, where)
        elif plain.status_code < 300 or plain.status_code == 409:
            if page.status_code == 303 or plain.status_code in (200, 204):
                prepare()
            assert page.status_code in (200, 303, 409), where  # executed, or confirmed first


def _names_nothing(caller: Api, page: Any, where: object) -> None:
    shown = page.content.decode().lower()
    for name, path in NAMES.items():
        assert name not in shown or caller.get(path).status_code == 200, (name, where)


def test_who_acts_as_an_attendee_changes_only_what_an_attendee_may(settings: Settings) -> None:
    settings.AUTH_MODE = "open"
    done = []
    for path, method in itertools.product(ROUTES, METHODS):
        for fields in METHODS[method]:
            prepare()
            done += [(method, path) for answer in send(Acting("ada"), path, method, fields) if answer.status_code < 400]
    own = {"/events/party/registrations", "/events/party/register", "/users", "/users/me"}
    assert {path for _, path in done} <= own


def subclasses(base: type[Any]) -> list[type[Any]]:
    return [kind for one in base.__subclasses__() for kind in (one, *subclasses(one))]


def test_nothing_of_a_page_runs_for_a_caller_who_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a page may ask in the future: it is not asked before the view's own checks."""
    from eventsite.pages.page import Page, Part

    autodiscover_modules("browsable")
    asked: list[str] = []
    kinds = [*subclasses(Page), *subclasses(Part)]
    assert any("question" in vars(kind) for kind in kinds)
    for kind in kinds:
        for name in ("question", "prepare"):
            if name in vars(kind):
                monkeypatch.setattr(kind, name, lambda self, kind=kind: asked.append(kind.__name__))
    prepare()
    for who, method, path in itertools.product(("anonymous", "alice"), METHODS, ROUTES):
        person = CALLERS[who]()
        principal = Principal(person.sub) if person else None
        if path != "/users/me" and not (method == "POST" and principal):
            send(As(person and person.access), path, method, {"name": "New"})
    assert asked == []
