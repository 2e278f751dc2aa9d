"""Signing in with a browser: through the hosted UI of the engine's Cognito, and back with a session."""

import io
import re
import time
from base64 import urlsafe_b64decode
from email.message import Message
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from eventsite.auth import login, refresh_cookie
from eventsite.auth.permissions import ORGANIZERS
from eventsite.local import user_pool
from tests.api import EVENT, problem
from tests.signing_in import alice, olivia, use_pool

pytestmark = pytest.mark.usefixtures("cognito")

FORM = "application/x-www-form-urlencoded"


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Let the caller see the redirect."""


class Browser:
    """What a browser does here: keeps cookies, shows pages, follows the way through the hosted UI."""

    def __init__(self) -> None:
        self.client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True, raise_request_exception=False)

    def page(self, path: str) -> str:
        """The HTML of a page."""
        return str(self.client.get(path, headers={"accept": "text/html"}).content.decode())

    def csrf_token(self, path: str = "/events") -> str:
        """The token that the page of the browsable API carries for its forms."""
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.page(path))
        assert found
        return found[1]

    def leave_for_login(self, next_page: str = "/events") -> str:
        """Click "Log in". Returns: the URL of the hosted UI."""
        answer = self.client.get("/login", {"next": next_page})
        assert answer.status_code == 302
        return str(answer["Location"])

    def come_back(self, url: str) -> Any:
        """Follow the hosted UI's redirect to us."""
        return self.client.get(urlsplit(url).path + "?" + urlsplit(url).query)

    def log_in(self, name: str) -> Any:
        """The whole way."""
        return self.come_back(fill_in(self.leave_for_login(), name))

    def post(self, path: str, body: dict[str, Any], csrf_token: str = "") -> Any:
        """Send JSON, as a page's script does."""
        headers = {"x-csrftoken": csrf_token} if csrf_token else {}
        return self.client.post(path, body, content_type="application/json", headers=headers)


def fill_in(url: str, name: str) -> str:
    """Fill in the hosted UI's form. Returns: where it sends the browser."""
    opener = build_opener(_Stay)
    with opener.open(url) as page:
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.read().decode()))
    fields |= {"username": name, "password": user_pool.PASSWORD}
    action = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/login"
    with pytest.raises(HTTPError) as redirect:
        opener.open(Request(action, urlencode(fields).encode(), {"Content-Type": FORM}))
    redirect.value.close()
    assert redirect.value.code == 302
    return str(redirect.value.headers["Location"])


@pytest.fixture
def browser() -> Browser:
    alice(), olivia()
    return Browser()


def test_the_way_through_the_hosted_ui(browser: Browser) -> None:
    assert "/login?next=/events" in browser.page("/events")
    url = browser.leave_for_login()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len(asked["state"]) >= 22
    assert len(asked["code_challenge"]) == 43
    back = browser.come_back(fill_in(url, "olivia"))
    assert (back.status_code, back["Location"]) == (302, "/events")
    page = browser.page("/events")
    assert "olivia" in page
    assert "Log out" in page
    made = browser.post("/events", EVENT, browser.csrf_token())
    assert (made.status_code, made.json()["organizerId"]) == (201, olivia().sub)


def test_a_session_has_the_rights_of_its_user(browser: Browser) -> None:
    browser.log_in("alice")
    assert problem(browser.post("/events", EVENT, browser.csrf_token())) == (403, "permission_denied")
    assert browser.client.get("/users").status_code == 403


def test_the_forms_of_the_pages_work(browser: Browser) -> None:
    browser.log_in("olivia")
    fields = {name: str(value) for name, value in EVENT.items()} | {"csrfmiddlewaretoken": browser.csrf_token()}
    made = browser.client.post("/events", fields, headers={"accept": "text/html"})
    assert made.status_code == 201


def test_a_page_has_the_forms_that_its_reader_may_send(browser: Browser) -> None:
    form = ">Publish</button>"
    assert form not in browser.page("/events")
    browser.log_in("alice")
    assert form not in browser.page("/events")
    browser.log_in("olivia")
    assert form in browser.page("/events")


@pytest.mark.parametrize("token", ["", "x" * 64])
def test_an_unsafe_request_that_may_be_forged_is_refused(browser: Browser, token: str) -> None:
    browser.log_in("olivia")
    browser.csrf_token()
    assert problem(browser.post("/events", EVENT, token)) == (403, "permission_denied")
    assert browser.client.get("/events?organizerId=me").json() == []


def test_a_form_of_another_site_is_refused(browser: Browser) -> None:
    browser.log_in("olivia")
    fields = {name: str(value) for name, value in EVENT.items()} | {"csrfmiddlewaretoken": browser.csrf_token()}
    headers = {"accept": "text/html", "origin": "https://evil.example"}
    assert browser.client.post("/events", fields, headers=headers).status_code == 403


def test_a_bearer_token_needs_no_csrf_token_and_goes_before_the_session(browser: Browser) -> None:
    browser.log_in("alice")
    headers = {"authorization": f"Bearer {olivia().access}"}
    made = browser.client.post("/events", EVENT, content_type="application/json", headers=headers)
    assert (made.status_code, made.json()["organizerId"]) == (201, olivia().sub)
    bad = browser.client.get("/events", headers={"authorization": "Bearer x"})
    assert problem(bad) == (401, "invalid_token")


def test_the_cookies(browser: Browser, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True  # as everywhere but in local runs
    browser.log_in("olivia")
    browser.csrf_token()
    for name in ("sessionid", "csrftoken"):
        cookie = browser.client.cookies[name]
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert 0 < int(browser.client.cookies["sessionid"]["max-age"]) <= 3600


def test_no_token_is_kept_in_the_session(browser: Browser) -> None:
    browser.log_in("olivia")
    assert set(browser.client.session.keys()) <= {login.WHO, "_session_expiry"}
    assert set(browser.client.session[login.WHO]) == {"sub", "groups", "name", "email", "verified", "until"}


def test_a_session_that_was_tampered_with_is_none(browser: Browser) -> None:
    browser.log_in("alice")
    del browser.client.cookies[refresh_cookie.COOKIE]
    value = browser.client.cookies["sessionid"].value
    browser.client.cookies["sessionid"] = ("A" if value[1] != "A" else "B") + value[1:]
    assert browser.client.get("/events?organizerId=me").status_code == 401


def end_session(browser: Browser) -> None:
    """Let the session end as in a browser, which forgets its cookie."""
    del browser.client.cookies["sessionid"]


def test_a_session_is_renewed_while_the_browser_is_used(browser: Browser) -> None:
    browser.log_in("alice")
    for _ in range(3):
        end_session(browser)
        assert browser.client.get("/events?organizerId=me").status_code == 200
        assert "sessionid" in browser.client.cookies
    cookie = browser.client.cookies[refresh_cookie.COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert int(cookie["max-age"]) >= 8 * 60 * 60 + 3600


def test_a_form_that_was_opened_before_a_renewal_can_be_sent_after_it(browser: Browser) -> None:
    browser.log_in("alice")
    form = browser.csrf_token()
    end_session(browser)
    assert browser.post("/users", {"name": "Alice"}, form).status_code == 201


def tokens_of(name: str) -> dict[str, str]:
    """The tokens of a renewal that brings no refresh token."""
    return {"id_token": user_pool.tokens(name)["IdToken"], "refresh_token": ""}


def test_a_group_that_was_taken_away_ends_at_the_next_renewal(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's hosted UI leaves groups out when it renews, so the tokens come from its API."""
    user_pool.add_user("omar", [ORGANIZERS])
    browser.log_in("omar")
    monkeypatch.setattr(login, "_tokens", lambda *_: tokens_of("omar"))
    end_session(browser)
    assert browser.post("/events", EVENT, browser.csrf_token()).status_code == 201
    client, pool = user_pool.client(user_pool.url()), user_pool.pool()
    client.admin_remove_user_from_group(UserPoolId=pool.pool_id, Username="omar", GroupName=ORGANIZERS)
    end_session(browser)
    assert problem(browser.post("/events", EVENT, browser.csrf_token())) == (403, "permission_denied")


def test_a_log_out_ends_renewal_at_once(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.log_in("alice")
    revoked: list[Request] = []

    def answer(request: Request, timeout: float) -> io.BytesIO:
        revoked.append(request)
        return io.BytesIO()

    monkeypatch.setattr("urllib.request.urlopen", answer)
    browser.client.post("/logout", {"csrfmiddlewaretoken": browser.csrf_token()})
    assert browser.client.cookies[refresh_cookie.COOKIE].value == ""
    assert browser.client.get("/events?organizerId=me").status_code == 401
    (asked,) = revoked
    assert urlsplit(asked.full_url).path == "/oauth2/revoke"
    assert isinstance(asked.data, bytes)
    assert len(parse_qs(asked.data.decode())["token"][0]) > 100


@pytest.mark.parametrize("value", ["", "x", "x" * 3000, "AAAA", "é", "=", '"'])
def test_a_refresh_token_that_was_tampered_with_is_deleted(browser: Browser, value: str) -> None:
    browser.client.cookies[refresh_cookie.COOKIE] = value
    answer = browser.client.get("/events?organizerId=me")
    assert (answer.status_code, answer.cookies[refresh_cookie.COOKIE].value) == (401, "")


def test_a_login_page_that_does_not_answer_keeps_the_refresh_token(browser: Browser, settings: Settings) -> None:
    browser.log_in("alice")
    del browser.client.cookies["sessionid"]
    pool = user_pool.pool()
    use_pool(settings, pool.pool_id, pool.client_id, domain="http://127.0.0.1:1")
    answer = browser.client.get("/events?organizerId=me")
    assert (answer.status_code, refresh_cookie.COOKIE in answer.cookies) == (401, False)


@pytest.mark.parametrize(("status", "is_kept"), [(400, False), (408, True), (429, True), (500, True)])
def test_a_refusal_deletes_the_refresh_token_unless_the_login_page_is_busy(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, status: int, is_kept: bool
) -> None:
    browser.log_in("alice")
    end_session(browser)

    def refuse(request: Request, timeout: float) -> None:
        raise HTTPError(request.full_url, status, "refused", Message(), io.BytesIO())

    with monkeypatch.context() as patched:
        patched.setattr("urllib.request.urlopen", refuse)
        answer = browser.client.get("/events?organizerId=me")
    assert (answer.status_code, refresh_cookie.COOKIE in answer.cookies) == (401, not is_kept)
    assert browser.client.get("/events?organizerId=me").status_code == (200 if is_kept else 401)


def test_no_refresh_token_can_be_read_from_its_cookie(browser: Browser) -> None:
    browser.log_in("alice")
    sealed = browser.client.cookies[refresh_cookie.COOKIE].value
    assert "." not in sealed and b"eyJ" not in urlsafe_b64decode(sealed + "==")


def test_a_session_ends_with_its_token(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.log_in("alice")
    del browser.client.cookies[refresh_cookie.COOKIE]
    assert browser.client.get("/events?organizerId=me").status_code == 200
    later = time.time() + 3601
    monkeypatch.setattr("eventsite.auth.login.time.time", lambda: later)
    assert browser.client.get("/events?organizerId=me").status_code == 401


def test_logging_out_ends_the_session_here_and_there(browser: Browser) -> None:
    browser.log_in("alice")
    answer = browser.client.post("/logout", {"csrfmiddlewaretoken": browser.csrf_token()})
    url = urlsplit(answer["Location"])
    assert (answer.status_code, url.path) == (302, "/logout")
    assert parse_qs(url.query)["logout_uri"] == ["http://localhost/"]
    with pytest.raises(HTTPError) as redirect:
        build_opener(_Stay).open(answer["Location"])
    redirect.value.close()
    assert (redirect.value.code, redirect.value.headers["Location"]) == (302, "http://localhost/")
    assert browser.client.get("/events?organizerId=me").status_code == 401
    assert "Log in" in browser.page("/events")


def test_logging_out_cannot_be_forged(browser: Browser) -> None:
    browser.log_in("alice")
    assert problem(browser.client.get("/logout")) == (405, "method_not_allowed")
    assert problem(browser.client.post("/logout"))[0] == 403
    assert browser.client.get("/events?organizerId=me").status_code == 200


def test_a_code_of_another_browser_is_refused(browser: Browser) -> None:
    """Login CSRF: somebody else's code, brought to this browser, must not sign it in as them."""
    url = fill_in(Browser().leave_for_login(), "olivia")
    assert problem(browser.come_back(url)) == (400, "login_failed")
    browser.leave_for_login()
    assert problem(browser.come_back(url)) == (400, "login_failed")
    assert browser.client.get("/events?organizerId=me").status_code == 401


def test_a_code_is_good_for_one_login(browser: Browser) -> None:
    url = fill_in(browser.leave_for_login(), "olivia")
    assert browser.come_back(url).status_code == 302
    assert problem(browser.come_back(url)) == (400, "login_failed")


def test_a_code_without_its_verifier_is_refused(browser: Browser) -> None:
    url = fill_in(browser.leave_for_login(), "olivia")
    session = browser.client.session
    session[login.PENDING] = {state: one | {"verifier": "x" * 64} for state, one in session[login.PENDING].items()}
    session.save()
    browser.client.cookies["sessionid"] = str(session.session_key)
    assert problem(browser.come_back(url)) == (400, "login_failed")


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?error=access_denied", "?code=%00&state=%ff", "?code=a&code=b&state=c"]
)
def test_answers_that_were_never_asked_for(browser: Browser, query: str) -> None:
    browser.leave_for_login()
    assert problem(browser.client.get(f"/login/callback{query}")) == (400, "login_failed")


def test_a_refused_login_shows_the_reason(browser: Browser) -> None:
    state = parse_qs(urlsplit(browser.leave_for_login()).query)["state"][0]
    answer = browser.client.get("/login/callback", {"error": "access_denied", "state": state})
    assert problem(answer) == (400, "login_failed")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "\x00"]
)
def test_a_login_leads_to_no_other_site(browser: Browser, elsewhere: str) -> None:
    back = browser.come_back(fill_in(browser.leave_for_login(elsewhere), "olivia"))
    assert (back.status_code, back["Location"]) == (302, "/")


def test_a_hosted_ui_that_does_not_answer(browser: Browser, settings: Settings) -> None:
    url = fill_in(browser.leave_for_login(), "olivia")
    pool = user_pool.pool()
    discard = "http://127.0.0.1:9"
    use_pool(settings, pool.pool_id, pool.client_id, jwks_url=pool.jwks_url, domain=discard)
    answer = browser.come_back(url)
    assert problem(answer) == (503, "service_unavailable")
    assert answer["Retry-After"]


def test_there_is_no_login_without_a_hosted_ui(browser: Browser, settings: Settings) -> None:
    use_pool(settings, "eu-west-1_AbC", "client")
    assert problem(browser.client.get("/login")) == (404, "not_found")
    assert "Log in" not in browser.page("/events")


def test_an_open_service_has_no_login_and_no_cookies(settings: Settings) -> None:
    settings.AUTH_MODE = "open"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name not in settings.SIGN_IN_MIDDLEWARE]
    browser = Browser()
    assert "Log in" not in browser.page("/events")
    for path in ("/login", "/login/callback"):
        assert problem(browser.client.get(path)) == (404, "not_found")
    assert problem(browser.client.post("/logout")) == (404, "not_found")
    assert not browser.client.cookies


def test_who_is_signed_in_stays_it_when_logging_in_again(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until somebody comes back from the hosted UI, the session is as good as it was."""
    browser.log_in("olivia")
    lasts = int(browser.client.cookies["sessionid"]["max-age"])
    url = browser.leave_for_login()
    assert int(browser.client.cookies["sessionid"]["max-age"]) >= lasts - 5 > login.LOGIN_SECONDS
    assert "Log out" in browser.page("/events")
    back = fill_in(url, "alice")
    present = time.time()
    monkeypatch.setattr("eventsite.auth.login.time.time", lambda: present + login.LOGIN_SECONDS + 1)
    assert problem(browser.come_back(back)) == (400, "login_failed")
    assert "olivia" in browser.page("/events")
