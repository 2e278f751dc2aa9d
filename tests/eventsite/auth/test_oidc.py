"""Any OpenID provider: tokens as Keycloak and Auth0 make them, and the login with a browser."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from eventsite.auth import oidc, refresh_cookie, tokens
from eventsite.auth.permissions import ADMINS, ORGANIZERS
from tests.api import EVENT
from tests.eventsite.auth import issuing
from tests.signing_in import As

pytestmark = pytest.mark.usefixtures("cognito")

CLIENT, API = "eventsite-web", "https://events.example.org/"
CONFIGURATION = "/realms/club/.well-known/openid-configuration"


class Provider:
    """An OpenID provider on this machine, which serves `answers` as JSON and `raw` as it is, by path."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.raw: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.issuer = ""

    def open_at(self, port: int) -> None:
        """Serve the documents of a realm."""
        self.issuer = f"http://127.0.0.1:{port}/realms/club"
        pages = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "certs"}
        self.answers = {
            CONFIGURATION: {
                "issuer": self.issuer,
                "end_session_endpoint": f"{self.issuer}/logout",
                **{name: f"{self.issuer}/{page}" for name, page in pages.items()},
            },
            "/realms/club/certs": {"keys": [issuing.jwk("first")]},
        }

    def token(self, **claims: Any) -> str:
        """A token of this provider's with these claims, those of None left out."""
        whole = issuing.claims(**({"iss": self.issuer, "token_use": None, "client_id": None} | claims))
        return jwt.encode(whole, issuing.key("first"), "RS256", {"kid": "first"})


@contextmanager
def serving() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            found = provider.answers.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(provider.raw.get(self.path) or json.dumps(found).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.open_at(server.server_port)
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    with serving() as served:
        settings.AUTH_MODE, settings.USER_POOL = "oidc", "eventsite.auth.oidc.configured"
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = served.issuer, CLIENT
        settings.OIDC_AUDIENCE, settings.OIDC_GROUPS_CLAIM = "", "groups"
        settings.LOGIN_ORIGIN = served.issuer
        oidc.discovery.cache_clear()
        tokens.keys.cache_clear()
        yield served
    oidc.discovery.cache_clear()


def keycloak(provider: Provider, **claims: Any) -> str:
    """An access token as Keycloak makes it for a public client without mappers."""
    shape = {
        "typ": "Bearer",
        "azp": CLIENT,
        "aud": "account",
        "sub": "5e3a1c9e-0f4b-4d3c-9a51-1f0c5f1f8a77",
        "scope": "openid profile email",
        "realm_access": {"roles": ["offline_access", "uma_authorization"]},
        "resource_access": {"account": {"roles": ["manage-account"]}},
        "preferred_username": "ada",
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "email_verified": True,
    }
    return provider.token(**(shape | claims))


def auth0(provider: Provider, **claims: Any) -> str:
    """An access token as Auth0 makes it for an API."""
    shape = {
        "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
        "aud": [API, f"{provider.issuer}userinfo"],
        "azp": CLIENT,
        "scope": "openid profile email",
    }
    return provider.token(**(shape | claims))


def created(token: str) -> int:
    """The status of creating an event with a token."""
    return int(As(token).post("/events", EVENT).status_code)


@pytest.mark.parametrize(
    ("claim", "claims"),
    [
        ("groups", {"groups": [ORGANIZERS]}),
        ("groups", {"groups": [f"/{ORGANIZERS}"]}),
        ("realm_access.roles", {"realm_access": {"roles": ["offline_access", ORGANIZERS]}}),
        (f"resource_access.{CLIENT}.roles", {"resource_access": {CLIENT: {"roles": [ADMINS]}}}),
    ],
)
def test_keycloaks_groups_and_roles(provider: Provider, settings: Settings, claim: str, claims: dict[str, Any]) -> None:
    settings.OIDC_GROUPS_CLAIM = claim
    assert created(keycloak(provider, **claims)) == 201
    assert created(keycloak(provider)) == 403


def test_auth0s_roles_under_a_name_with_dots_and_its_subs(provider: Provider, settings: Settings) -> None:
    settings.OIDC_AUDIENCE, settings.OIDC_GROUPS_CLAIM = API, "https://events.example.org/roles"
    assert created(auth0(provider, **{"https://events.example.org/roles": [ORGANIZERS]})) == 201
    assert created(auth0(provider)) == 403
    first, second = (As(auth0(provider, sub=sub)).get("/users/me").json() for sub in ("auth0|1", "google-oauth2|1"))
    assert first["userId"] != second["userId"]
    assert As(auth0(provider, sub="auth0|1")).get("/users/me").json()["userId"] == first["userId"]


def test_an_id_token_is_believed(provider: Provider) -> None:
    assert created(provider.token(aud=CLIENT, groups=[ORGANIZERS])) == 201
    assert created(provider.token(aud=[CLIENT, "other"], azp=CLIENT, groups=[ORGANIZERS])) == 201


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-client"},
        {"aud": [CLIENT], "azp": "another-client"},
        {"aud": ["https://other-api.example.org/"], "azp": CLIENT},
        {"aud": ["account", "https://other-api.example.org/"], "azp": CLIENT},
        {"aud": "account", "azp": "another-client"},
        {"aud": "account", "azp": None},
        {"aud": None, "azp": None},
        {"aud": CLIENT, "typ": "Refresh"},
        {"aud": CLIENT, "events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        {"aud": CLIENT, "iss": "https://id.example.org/realms/club"},
        {"aud": CLIENT, "sub": ""},
        {"aud": CLIENT, "sub": None},
        {"aud": CLIENT, "groups": {"a": "b"}},
        {"aud": {"a": "b"}},
        {"aud": [[CLIENT]]},
        {"aud": 5},
        {"aud": CLIENT, "typ": ["ID"]},
    ],
)
def test_tokens_that_are_not_for_this_service_are_refused(provider: Provider, claims: dict[str, Any]) -> None:
    assert created(provider.token(**({"groups": [ORGANIZERS]} | claims))) == 401


@pytest.mark.parametrize("claim", ["groups", "a.b", ".", "realm_access.roles.deeper"])
@pytest.mark.parametrize("value", [None, "text", 5, ["a", 5], {"b": 5}, {"roles": "Organizers"}])
def test_no_shape_of_the_groups_is_an_error(provider: Provider, settings: Settings, claim: str, value: Any) -> None:
    settings.OIDC_GROUPS_CLAIM = claim
    for name in ("groups", "a", "realm_access"):
        oidc.configured().groups({name: value})


@pytest.mark.parametrize(
    "configuration",
    [
        None,
        [],
        {},
        {"issuer": "https://id.example.org"},
        {"jwks_uri": "http://keys.example.org/certs"},
        {"token_endpoint": "ftp://127.0.0.1/"},
        {"authorization_endpoint": 5},
    ],
)
def test_a_provider_that_cannot_be_used_is_an_honest_503_and_is_not_asked_again_at_once(
    provider: Provider, configuration: Any
) -> None:
    good = provider.answers[CONFIGURATION]
    broken = {**good, **configuration} if configuration else configuration
    provider.answers[CONFIGURATION] = broken
    for _ in range(2):
        answer = As(keycloak(provider)).get("/users/me")
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert provider.asked == [CONFIGURATION]


def test_a_configuration_that_is_refused_leaves_no_connection_open(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = io.BytesIO()

    def refuse(url: str, timeout: float) -> None:
        raise HTTPError(url, 404, "refused", Message(), response)

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    assert As(keycloak(provider)).get("/users/me").status_code == 503
    assert response.closed


def test_the_configuration_is_fetched_once(provider: Provider) -> None:
    for _ in range(2):
        assert As(keycloak(provider)).get("/users/me").status_code == 200
    assert provider.asked == [CONFIGURATION, "/realms/club/certs"]


def test_a_browser_logs_in_and_out(provider: Provider) -> None:
    browser = Client(SERVER_NAME="localhost")
    leave = urlsplit(browser.get("/login", {"next": "/events"})["Location"])
    asked = {name: values[0] for name, values in parse_qs(leave.query).items()}
    assert f"{leave.scheme}://{leave.netloc}{leave.path}" == f"{provider.issuer}/auth"
    assert (asked["scope"], asked["code_challenge_method"]) == ("openid profile email", "S256")
    provider.answers["/realms/club/token"] = {"id_token": provider.token(aud=CLIENT, groups=[ORGANIZERS])}
    back = browser.get("/login/callback", {"code": "a-code", "state": asked["state"]})
    assert (back.status_code, back["Location"]) == (302, "/events")
    assert browser.get("/users/me").json()["userId"] == "issued-sub"
    away = urlsplit(browser.post("/logout")["Location"])
    assert f"{away.scheme}://{away.netloc}{away.path}" == f"{provider.issuer}/logout"
    assert parse_qs(away.query) == {"client_id": [CLIENT], "post_logout_redirect_uri": ["https://localhost/"]} or (
        parse_qs(away.query)["post_logout_redirect_uri"] == ["http://localhost/"]
    )
    assert browser.get("/users/me").status_code == 401


def test_without_a_page_for_logging_out_only_the_session_here_ends(provider: Provider) -> None:
    del provider.answers[CONFIGURATION]["end_session_endpoint"]
    assert oidc.configured().logout_url("https://home/") == "https://home/"


def test_the_pages_of_a_provider_may_have_a_query(provider: Provider) -> None:
    found = provider.answers[CONFIGURATION]
    for name in ("authorization_endpoint", "end_session_endpoint"):
        found[name] += "?p=policy"
    there = parse_qs(urlsplit(Client(SERVER_NAME="localhost").get("/login")["Location"]).query)
    assert (there["p"], there["client_id"], there["response_type"]) == (["policy"], [CLIENT], ["code"])
    away = parse_qs(urlsplit(oidc.configured().logout_url("https://home/")).query)
    assert away == {"p": ["policy"], "client_id": [CLIENT], "post_logout_redirect_uri": ["https://home/"]}


TOKEN = "/realms/club/token"
RUBBISH = [[], {}, "text", 5, {"access_token": "x"}, [[[]]]]


def log_in(provider: Provider, browser: Client, sub: str, **tokens: Any) -> int:
    """Log in as a user with an ID token and these tokens. Returns: the status of the way back."""
    state = parse_qs(urlsplit(browser.get("/login")["Location"]).query)["state"][0]
    provider.answers[TOKEN] = {"id_token": provider.token(aud=CLIENT, sub=sub), **tokens}
    return browser.get("/login/callback", {"code": "a-code", "state": state}).status_code


def asker(browser: Client) -> str | None:
    """Return the id of the user who is signed in."""
    found: str | None = browser.get("/users/me").json().get("userId")
    return found


def renew(provider: Provider, browser: Client, answer: Any) -> str | None:
    """End the session, and let the provider answer its renewal. Returns: the id of the user after it."""
    browser.cookies.pop("sessionid", None)
    provider.answers[TOKEN] = answer
    return asker(browser)


def test_the_refresh_token_of_the_user_before_renews_no_session_of_another_user(provider: Provider) -> None:
    browser = Client(SERVER_NAME="localhost")
    log_in(provider, browser, "ada", refresh_token="of-ada")
    log_in(provider, browser, "bea", refresh_token="b" * 4000)  # too long for a cookie
    assert asker(browser) == "bea"
    assert renew(provider, browser, {"id_token": provider.token(aud=CLIENT, sub="ada")}) is None


@pytest.mark.parametrize("tokens", [{}, {"refresh_token": None}, {"refresh_token": ""}])
def test_a_renewal_without_a_refresh_token_keeps_the_present_one(provider: Provider, tokens: dict[str, Any]) -> None:
    browser = Client(SERVER_NAME="localhost")
    log_in(provider, browser, "ada", refresh_token="of-ada")
    present = browser.cookies[refresh_cookie.COOKIE].value
    assert renew(provider, browser, {"id_token": provider.token(aud=CLIENT, sub="ada"), **tokens}) == "ada"
    assert browser.cookies[refresh_cookie.COOKIE].value == present


@pytest.mark.parametrize("answer", [*RUBBISH, "nested"])
def test_rubbish_of_the_provider_signs_out_for_one_request_only(provider: Provider, answer: Any) -> None:
    browser = Client(SERVER_NAME="localhost")
    log_in(provider, browser, "ada", refresh_token="of-ada")
    if answer == "nested":
        provider.raw[TOKEN] = b"[" * 100_000
    assert renew(provider, browser, answer) is None
    provider.raw.clear()
    assert renew(provider, browser, {"id_token": provider.token(aud=CLIENT, sub="ada")}) == "ada"


def test_a_login_that_cannot_be_begun_is_begun_again_for_the_same_page(provider: Provider) -> None:
    provider.answers.clear()
    shown = Client(SERVER_NAME="localhost", headers={"accept": "text/html"}).get("/login", {"next": "/users/me"})
    assert shown.status_code == 503
    assert b'href="/login?next=/users/me"' in shown.content


def test_a_log_out_ends_the_session_here_while_the_provider_cannot_be_reached(provider: Provider) -> None:
    browser = Client(SERVER_NAME="localhost", headers={"accept": "text/html"})
    log_in(provider, browser, "ada", refresh_token="of-ada")
    oidc.discovery.cache_clear()
    provider.answers.clear()
    refused = browser.post("/logout")
    assert (refused.status_code, refused.cookies[refresh_cookie.COOKIE].value) == (503, "")
    assert b"You are logged out here." in refused.content
    assert browser.get("/events?organizerId=me").status_code == 401
