"""Which form an answer takes: JSON if the client can read it, pages for browsers."""

import pytest

from tests.api import Api, problem

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
SAFARI = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
IMPATIENT = "application/json, text/plain, */*"  # axios

PATHS = ["/", "/health", "/events", "/users", "/events/party", "/events/party/registrations", "/events/nothing"]


def kind(api: Api, path: str, accept: str) -> str:
    return str(api.get(path, accept=accept).headers["Content-Type"]).partition(";")[0]


@pytest.fixture(autouse=True)
def party(api: Api) -> None:
    api.event(eventId="party")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", [CHROME, SAFARI, SAFARI.upper(), "text/html"])
def test_browsers_get_pages(api: Api, path: str, accept: str) -> None:
    assert kind(api, path, accept) == "text/html"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "accept", [JAVA, IMPATIENT, "*/*", "application/*", "text/html, application/json;q=0.1", "text/html, */*;q=0.1", ""]
)
def test_a_client_that_can_read_json_gets_json(api: Api, path: str, accept: str) -> None:
    assert kind(api, path, accept) in ("application/json", "application/problem+json")


REFUSED = ["application/json;q=0", "application/json; q=0.000", "*/*;q=0", "application/*;q=0"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", REFUSED)
def test_a_form_with_the_quality_0_is_not_sent(api: Api, path: str, accept: str) -> None:
    with_page = f"{accept}, text/html;q=0"
    assert problem(api.get(path, accept=with_page)) == (406, "not_acceptable")
    assert kind(api, path, f"{accept}, text/html") == "text/html"


@pytest.mark.parametrize("refused", [*REFUSED, "*/*, application/json;q=0, text/html;q=0"])
@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/events", "text/calendar"), ("/events/party", "text/calendar"), ("/events/party/registrations", "text/csv")],
)
def test_a_client_that_refuses_json_gets_the_other_form(api: Api, path: str, media_type: str, refused: str) -> None:
    for accept in (f"{media_type}, {refused}", f"{refused}, {media_type};q=0.1"):
        assert kind(api, path, accept) == media_type
    assert problem(api.get(path, accept=f"{media_type};q=0")) == (406, "not_acceptable")


def test_an_empty_accept_header_is_none(api: Api) -> None:
    answer = api.get("/events", accept="")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_a_body_in_json_is_read_whatever_the_client_also_accepts(api: Api) -> None:
    made = api.post("/users", {"name": "Alice"}, accept=JAVA)
    assert (made.status_code, made.json()["name"]) == (201, "Alice")


def test_a_form_is_only_read_where_a_page_answers(api: Api) -> None:
    form = {"raw": b"name=Alice", "content_type": "application/x-www-form-urlencoded"}
    assert problem(api.post("/users", accept=JAVA, **form)) == (415, "unsupported_media_type")
    assert api.post("/users", accept=CHROME, **form).status_code == 303


@pytest.mark.parametrize("accept", [CHROME, "text/csv", JAVA])
def test_a_format_in_the_address_outweighs_the_header(api: Api, accept: str) -> None:
    assert kind(api, "/events?format=json", accept) == "application/json"


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.json/"])
@pytest.mark.parametrize("accept", ["*/*", "application/json", CHROME])
def test_the_document_is_also_under_its_usual_name(api: Api, path: str, accept: str) -> None:
    answer = api.get(path, accept=accept)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "application/json")
    assert answer.json() == api.get("/schema").json()


PREVIEW_AGENTS = ["facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0", "WhatsApp/2.23", "Twitterbot/1.0"]


@pytest.mark.parametrize("agent", PREVIEW_AGENTS)
def test_link_previews_get_the_page(api: Api, agent: str) -> None:
    answer = api.get("/events/party", accept="*/*", user_agent=agent)
    assert answer.headers["Content-Type"].startswith("text/html")
    page = answer.content.decode()
    assert '<meta property="og:title" content="Spring party">' in page
    assert 'property="og:description"' in page and "Thu 1 Apr 2083, Garden." in page
    assert api.get("/events/party", accept="application/json", user_agent=agent).json()["title"] == "Spring party"


def test_robots_and_icons_are_found(api: Api) -> None:
    robots = api.get("/robots.txt")
    assert (robots.headers["Content-Type"], "Disallow: /login" in robots.content.decode()) == ("text/plain", True)
    icon = api.get("/favicon.ico")
    assert icon.status_code == 302
    served = api.get(icon.headers["Location"])
    assert served.headers["Content-Type"] == "image/svg+xml"
    assert b"".join(served.streaming_content).startswith(b"<svg")
    served.close()


@pytest.mark.parametrize("path", ["/robots.txt", "/favicon.ico"])
def test_files_for_crawlers_are_only_read(api: Api, path: str) -> None:
    assert api.call("HEAD", path).status_code == api.get(path).status_code
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = api.call(method, path)
        assert problem(answer) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, HEAD"
