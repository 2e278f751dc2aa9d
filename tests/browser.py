"""A browser without a screen: reads our pages, follows their links and sends their forms as a browser would."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ORIGIN = "http://localhost"
VOID = {"input", "link", "meta", "br", "img", "hr"}


class Form:
    """A form: its method, where it goes, what is filled in, and the choices of its selects."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.method = (attributes.get("data-method") or attributes.get("method") or "GET").upper()
        self.action = attributes.get("action", "")
        self.multipart = attributes.get("enctype") == "multipart/form-data"
        self.id = attributes.get("id", "")
        self.fields: dict[str, Any] = {}
        self.kinds: dict[str, str] = {}
        self.choices: dict[str, list[str]] = {}
        self.errors: dict[str, str] = {}


class Page(HTMLParser):
    """What a person sees of an answer."""

    def __init__(self, answer: Any, path: str) -> None:
        super().__init__()
        self.status, self.path, self.html = answer.status_code, path, answer.content.decode()
        self.links: dict[str, str] = {}
        self.resources: list[str] = []
        self.forms: list[Form] = []
        self.title = self.text = ""
        self._open: list[tuple[str, dict[str, str]]] = []
        self._select = self._option = self._last = ""
        self.feed(self.html)

    def form(self, method: str) -> Form:
        """The HTML form that sends this method."""
        return next(form for form in self.forms if form.method == method and form.multipart)

    def button(self, method: str) -> Form:
        """The form that is only a button."""
        return next(form for form in self.forms if form.method == method and not form.fields)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append((tag, attributes))
        for name in ("src", "href"):
            if name in attributes and tag != "a":
                self.resources.append(attributes[name])
        handler: Callable[[dict[str, str]], None] | None = getattr(self, f"_start_{tag}", None)
        if handler:
            handler(attributes)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += data
        tag, attributes = self._open[-1] if self._open else ("", {})
        if tag == "title":
            self.title += data
        elif tag == "a" and attributes.get("href", "#") != "#":
            self.links[data.strip()] = attributes["href"]
        elif tag == "textarea":
            self.forms[-1].fields[attributes["name"]] += data
        elif tag == "span" and attributes.get("class") == "help-block" and self._in_error():
            self.forms[-1].errors.setdefault(self._last, data.strip())

    def _in_error(self) -> bool:
        return any("has-error" in attributes.get("class", "") for _, attributes in self._open)

    def _start_form(self, attributes: dict[str, str]) -> None:
        self.forms.append(Form(attributes))

    def _start_input(self, attributes: dict[str, str]) -> None:
        self._field(attributes, attributes.get("type", "text"), attributes.get("value", ""))

    def _start_textarea(self, attributes: dict[str, str]) -> None:
        self._field(attributes, "textarea", "")

    def _field(self, attributes: dict[str, str], kind: str, value: Any) -> None:
        self._last = attributes["name"]
        self.forms[-1].fields[self._last], self.forms[-1].kinds[self._last] = value, kind

    def _start_select(self, attributes: dict[str, str]) -> None:
        self._field(attributes, "select", [] if "multiple" in attributes else None)
        self.forms[-1].choices[self._last] = []

    def _start_option(self, attributes: dict[str, str]) -> None:
        form, value = self.forms[-1], attributes["value"]
        form.choices[self._last].append(value)
        if isinstance(form.fields[self._last], list):
            form.fields[self._last] += [value] if "selected" in attributes else []
        elif "selected" in attributes or form.fields[self._last] is None:
            form.fields[self._last] = value


class Browser:
    """Asks for pages and sends forms; `base` is the stage prefix in front of every path."""

    def __init__(self, base: str = "") -> None:
        self.base = base
        self._client = Client(raise_request_exception=False, SERVER_NAME="localhost", headers={"accept": ACCEPT})

    def open(self, path: str) -> Page:
        """The page at a path without the prefix, or at the address that a link gave."""
        address = path if path.startswith((ORIGIN, f"{self.base}/")) else self.base + path
        return self.fetch(address)

    def fetch(self, address: str, **headers: str) -> Page:
        """The page at an address as it stands."""
        return Page(self._client.get(address.removeprefix(ORIGIN), headers=headers), address)

    def follow(self, page: Page, label: str) -> Page:
        """The page behind a link."""
        return self.fetch(urljoin(ORIGIN + page.path.removeprefix(ORIGIN), page.links[label]))

    def send(self, form: Form, **typed: Any) -> Page:
        """Send a form after typing something into some of its fields."""
        assert set(typed) <= set(form.fields), "a person can only fill in what is shown"
        values = form.fields | typed
        if form.method == "GET":
            return Page(self._client.get(form.action, values), form.action)
        body = encode_multipart(BOUNDARY, values) if values else b""
        return Page(
            self._client.generic(form.method, form.action, body, MULTIPART_CONTENT if values else ""), form.action
        )

    def download(self, address: str) -> tuple[int, bytes]:
        """Status and content of whatever is at an address."""
        answer = self._client.get(address.removeprefix(ORIGIN))
        content = b"".join(answer)
        answer.close()
        return answer.status_code, content
