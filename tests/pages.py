"""A browser without a screen: reads our pages, follows their links and sends their forms as a browser would."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin

from django.test import Client

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ORIGIN = "http://localhost"
FORM = "application/x-www-form-urlencoded"
VOID = {"input", "link", "meta", "br", "img", "hr"}


class Form:
    """A form: its method, its address, its values and the choices of its selects."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.sends = attributes.get("method", "get").upper()
        self.action = attributes.get("action", "")
        self.fields: dict[str, Any] = {}
        self.hidden: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self.choices: dict[str, list[str]] = {}
        self.errors: dict[str, str] = {}
        self.buttons: dict[str, str] = {}
        """Where each button sends the form, by its label."""
        self.values: dict[str, dict[str, str]] = {}
        """What each button adds to the form, by its label."""
        self.is_in_header = False

    @property
    def method(self) -> str:
        """The method that is meant."""
        return self.hidden.get("_method", self.sends)


class Page(HTMLParser):
    """What a person sees of an answer."""

    def __init__(self, answer: Any, path: str) -> None:
        super().__init__()
        self.status, self.path, self.html = answer.status_code, path, answer.content.decode()
        self.links: dict[str, str] = {}
        self.resources: list[str] = []
        self.forms: list[Form] = []
        self.messages: list[str] = []
        self.headings: list[str] = []
        self.title = self.text = ""
        self.elements = 0
        self._open: list[tuple[str, dict[str, str]]] = []
        self._select = self._last = ""
        self.feed(self.html)

    def form(self, method: str) -> Form:
        """The form with fields that sends this method."""
        return next(form for form in self.forms if form.method == method and form.fields)

    def button(self, method: str) -> Form:
        """The form of the page itself that is only a button."""
        return next(form for form in self.forms if form.method == method and not form.fields and not form.is_in_header)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements += 1
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
        tag, attributes = self._open[-1] if self._open else ("", {})
        if tag != "textarea":
            self.text += data
        if tag == "title":
            self.title += data
        elif tag in ("h1", "h2"):
            self.headings.append(data)
        elif tag == "a" and attributes.get("href", "#") != "#":
            self.links[data.strip()] = attributes["href"]
        elif tag == "textarea":
            self.forms[-1].fields[attributes["name"]] += data.removeprefix("\n")
        elif tag == "button":
            label = attributes.get("aria-label") or data.strip()
            self._button(label, attributes)
        elif tag == "p" and attributes.get("class") == "error" and self.forms:
            self.forms[-1].errors.setdefault(self._last, data.strip())
        elif tag == "p" and attributes.get("class", "").startswith("message"):
            self.messages.append(data)

    def _button(self, label: str, attributes: dict[str, str]) -> None:
        if not self.forms or attributes.get("type") == "button":
            return
        form = self.forms[-1]
        form.buttons[label] = attributes.get("formaction") or form.action
        if "name" in attributes:
            form.values[label] = {attributes["name"]: attributes["value"]}

    def _start_form(self, attributes: dict[str, str]) -> None:
        self.forms.append(Form(attributes))
        self.forms[-1].is_in_header = any(tag == "header" for tag, _ in self._open)

    def _start_input(self, attributes: dict[str, str]) -> None:
        kind, name, value = attributes.get("type", "text"), attributes["name"], attributes.get("value", "")
        if kind == "hidden":
            self.forms[-1].hidden[name] = value
        elif kind == "checkbox":
            value = value if "checked" in attributes else self.forms[-1].hidden.pop(name)
            self._field(attributes, kind, value)
        else:
            self._field(attributes, kind, value)

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
    """Asks for pages and sends forms. `base` is the stage prefix in front of every path."""

    def __init__(self, base: str = "", *, token: str = "") -> None:
        self.base = base
        headers = {"accept": ACCEPT} | ({"authorization": f"Bearer {token}"} if token else {})
        self._client = Client(raise_request_exception=False, SERVER_NAME="localhost", headers=headers)

    def open(self, path: str) -> Page:
        """The page at a path without the prefix, or at the address that a link gave."""
        address = path if path.startswith((ORIGIN, f"{self.base}/")) else self.base + path
        return self.fetch(address)

    def fetch(self, address: str, **headers: str) -> Page:
        """The page at an address as it stands."""
        answer = self._client.get(address.removeprefix(ORIGIN), headers=headers)
        if answer.status_code == 302 and answer.headers["Location"].startswith("/"):
            return self.fetch(answer.headers["Location"], **headers)
        return Page(answer, address)

    def follow(self, page: Page, label: str) -> Page:
        """The page behind a link."""
        return self.fetch(urljoin(ORIGIN + page.path.removeprefix(ORIGIN), page.links[label]))

    def send(self, form: Form, button: str = "", **typed: Any) -> Page:
        """Send a form after typing something into some of its fields, and go on to where that leads."""
        assert set(typed) <= set(form.fields), "a person can only fill in what is shown"
        action = form.buttons[button] if button else form.action
        pressed = button or next(iter(form.buttons), "")
        values = form.hidden | form.fields | typed | form.values.get(pressed, {})
        if form.sends == "GET":
            return Page(self._client.get(action, values), action)
        answer = self._client.post(action, urlencode(values, doseq=True), content_type=FORM)
        return self.fetch(answer.headers["Location"]) if answer.status_code == 303 else Page(answer, action)

    def sure(self, page: Page) -> Page:
        """Say yes to the question of a page."""
        for form in page.forms:
            for label, value in form.values.items():
                if "_confirmed" in value:
                    return self.send(form, label)
        raise AssertionError("the page asks nothing")

    def download(self, address: str) -> tuple[int, bytes]:
        """Status and content of whatever is at an address."""
        answer = self._client.get(address.removeprefix(ORIGIN))
        content = b"".join(answer)
        answer.close()
        return answer.status_code, content
