"""The security headers of every answer, and pages that work with them."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.signing_in import use_pool

PAGES = ["/events/party", "/events", "/users", "/events?status=nonsense", "/nothing", "/docs", "/redoc"]
ANSWERS = {
    "JSON": ("GET", "/events", {}),
    "an error": ("GET", "/users/nobody", {}),
    "no route": ("GET", "/no/such/route", {}),
    "a wrong method": ("PATCH", "/", {}),
    "a bad host": ("GET", "/", {"host": "evil.example"}),
    "a preflight": ("OPTIONS", "/events", {"origin": "https://a.example", "access-control-request-method": "POST"}),
    "a static file": ("GET", "/static/rest_framework/js/default.js", {}),
    "the schema": ("GET", "/schema", {}),
    "health": ("GET", "/health", {}),
    "a page": ("GET", "/events", {"accept": "text/html"}),
    "the documentation": ("GET", "/docs", {"accept": "text/html"}),
}


@pytest.fixture
def client() -> Client:
    return Client(SERVER_NAME="localhost", raise_request_exception=False)


def policy(answer: Any) -> dict[str, list[str]]:
    """The directives of the answer's Content Security Policy."""
    directives = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in directives}


def finish(answer: Any) -> None:
    """Read a file to its end, as a browser does, and close it."""
    assert answer.streaming is False or b"".join(answer.streaming_content)
    answer.close()


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_every_answer_has_them(client: Client, kind: str, secure: bool) -> None:
    method, path, headers = ANSWERS[kind]
    answer = client.generic(method, path, headers=headers, secure=secure)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert policy(answer)["frame-ancestors"] == ["'none'"]
    assert policy(answer)["default-src"] == ["'none'"]
    assert ("Strict-Transport-Security" in answer.headers) is secure
    finish(answer)


class Page(HTMLParser):
    """Collects the parts of a page that a policy covers: its sources and its inline code."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: dict[str, list[str]] = {"script-src": [], "style-src": [], "img-src": [], "form-action": []}
        self.inline: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag loads or runs."""
        given = {name: value or "" for name, value in attrs}
        self.inline += [f"{name}={value}" for name, value in given.items() if name.startswith("on")]
        self.inline += [value for value in given.values() if value.lower().startswith("javascript:")]
        self._script = tag == "script" and "src" not in given and given.get("type") != "application/json"
        if tag == "script" and "src" in given:
            self.loads["script-src"].append(given["src"])
        if tag == "link" and given.get("rel") == "stylesheet":
            self.loads["style-src"].append(given["href"])
        if tag == "img":
            self.loads["img-src"].append(given["src"])
        if tag == "form":
            self.loads["form-action"].append(given.get("action", ""))

    def handle_data(self, data: str) -> None:
        """Note the text of an inline script."""
        if self._script and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        """A script ends."""
        self._script = False


@pytest.mark.parametrize("path", PAGES)
def test_pages_run_no_inline_scripts_and_load_from_the_service_alone(client: Client, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/html"})
    if not answer.headers["Content-Type"].startswith("text/html"):
        assert path == "/nothing"  # a problem document too
        return
    page = Page()
    page.feed(answer.content.decode())
    assert page.inline == []
    assert page.loads["script-src"]
    for directive, urls in page.loads.items():
        assert "'self'" in policy(answer)[directive]
        strange = [url for url in urls if not urljoin("http://localhost/", url).startswith("http://localhost/")]
        assert strange == [], directive
    assert policy(answer)["script-src"] == ["'self'"]


def test_the_scripts_of_the_documentation_are_served(client: Client) -> None:
    page = Page()
    page.feed(client.get("/docs", headers={"accept": "text/html"}).content.decode())
    for url in page.loads["script-src"]:
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert "javascript" in answer.headers["Content-Type"], url
        finish(answer)


def test_forms_may_end_at_the_hosted_ui(client: Client, settings: Settings) -> None:
    """Logging out is a form that is redirected there."""
    settings.AUTH_MODE = "cognito"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *settings.SIGN_IN_MIDDLEWARE]
    use_pool(settings, "eu-west-1_AbC", "client", domain="https://x.auth.eu-west-1.amazoncognito.com")
    answer = client.get("/events", headers={"accept": "text/html"})
    assert policy(answer)["form-action"] == ["'self'", settings.COGNITO_DOMAIN]


@pytest.mark.parametrize("mode", ["open", "cognito"])
def test_swagger_ui_gets_the_token(client: Client, settings: Settings, mode: str) -> None:
    settings.AUTH_MODE = mode
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *settings.SIGN_IN_MIDDLEWARE]
    schema = client.get("/schema").json()
    scheme = schema["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    without: list[Any] = [{}] if mode == "open" else []
    assert schema["paths"]["/events"]["get"]["security"] == [{"bearer": []}, {}]
    assert schema["paths"]["/events"]["post"]["security"] == [{"bearer": []}, *without]
