"""Sign in with a browser: the authorization code flow with PKCE (RFC 7636) and state, at Cognito's hosted UI.

    GET  /login            redirect to the hosted UI    stores state, verifier and the page to return to
    GET  /login/callback   return with a code           exchanges it, verifies the ID token, starts the session
    POST /logout           end the session              here, and at the hosted UI

The session is a signed cookie of Django's with the user and its expiry. It ends no later than the ID token, and
`eventsite.auth.renewal` renews it while the browser is in use.
"""

import json
import os
import time
from collections.abc import Callable
from functools import wraps
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from eventsite import problems
from eventsite.auth import acting, refresh_cookie, user_pool
from eventsite.auth.permissions import ADMINS, ORGANIZERS, Principal
from eventsite.auth.user_pool import Provider, Unverified, opened
from eventsite.errors import Unavailable

LOGIN_SECONDS = 10 * 60
EXCHANGE_TIMEOUT_SECONDS = 3
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
BUSY = (408, 429)  # statuses that refuse a request at this moment only
WHO, PENDING = "who", "logins"
MOST_PENDING = 3  # logins of one browser, in tabs of their own
MOST_OF_A_PAGE = 500  # characters of the page to return to; browsers drop a cookie of more than 4 KB
SILENT = "The login service does not answer. Try again shortly."
ONLY_HERE = "You are logged out here. The login service does not answer, so you may still be logged in there."

View = Callable[[HttpRequest], HttpResponse]


def for_browsers(method: str) -> Callable[[View], View]:
    """Return a decorator of a view that allows one method, and answers a failed login with a problem document."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            vars(request)["return_to"] = reverse("root")
            if request.method != method:
                return problems.refused_method(request, method, f"Only {method} is possible here.")
            try:
                return view(request)
            except Unverified as error:
                return problems.answer(request, 400, f"{error} Try to log in again.", "login_failed")

        vars(answer)["for_everybody"] = True
        return answer

    return decorate


def offered(request: HttpRequest) -> dict[str, bool]:
    """Return, as a context processor, whether the templates show a login, or the role of an attendee."""
    can_log_in = settings.AUTH_MODE != "open" and bool(settings.LOGIN_ORIGIN)
    return {"login_offered": can_log_in, "acting_offered": acting.is_offered()}


def login_url(page: str) -> str:
    """Return the address of the login that returns to a page."""
    return f"{reverse('login')}?{urlencode({'next': page})}"


def page_to_return_to(request: HttpRequest) -> str:
    """Return where a login from the page of a problem leads: that page, or the root after a form."""
    again = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("root")
    return str(vars(request).get("return_to", again))


def end_session(request: HttpRequest) -> None:
    if hasattr(request, "session"):
        request.session.flush()
        refresh_cookie.keep(request, "")


def signed_in(request: HttpRequest) -> Principal | None:
    """Return the user of the session, or None if there is none or if it has expired."""
    who = request.session.get(WHO)
    if who is None or who["until"] < time.time():
        return None
    email, email_verified = who.get("email", ""), who.get("verified", False)
    return Principal(who["sub"], frozenset(who["groups"]), who["name"], email, email_verified=email_verified)


@for_browsers("GET")
def log_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the hosted UI. A present session stays until the callback replaces it."""
    page = vars(request)["return_to"] = _page_after(request)
    pool = _pool(request)
    client = _client(pool)
    verifier, state = client.create_code_verifier(64), client.state_generator()
    pending = {"verifier": verifier, "next": page, "until": time.time() + LOGIN_SECONDS}
    earlier = list(request.session.get(PENDING, {}).items())
    request.session[PENDING] = dict([*earlier, (state, pending)][-MOST_PENDING:])
    if signed_in(request) is None:
        request.session.set_expiry(LOGIN_SECONDS)
    url, _, _ = client.prepare_authorization_request(
        pool.authorize_url,
        state=state,
        redirect_url=_callback(request),
        scope=pool.scopes,
        code_challenge=client.create_code_challenge(verifier, "S256"),
        code_challenge_method="S256",
    )
    return HttpResponseRedirect(url)


@for_browsers("GET")
def callback(request: HttpRequest) -> HttpResponse:
    """Exchange the code from the hosted UI, and start the session."""
    pool = _pool(request)
    logins, state = request.session.pop(PENDING, {}), request.GET.get("state", "")
    pending = logins.pop(state, None)
    if logins:
        request.session[PENDING] = logins
    if pending is None or pending["until"] < time.time():
        raise Unverified("This login was not begun in this browser, or too long ago.")
    vars(request)["return_to"] = pending["next"]
    tokens = _exchange(request, pool, state, pending["verifier"])
    _start_session(request, pool, tokens["id_token"])
    rotate_token(request)
    refresh_cookie.keep(request, tokens["refresh_token"])
    return HttpResponseRedirect(pending["next"])


def renew(request: HttpRequest, refresh_token: str) -> str:
    """Renew the session by a refresh token, and return the token for the next renewal.

    Raises:
        Unverified: The provider refused the token.
        Unavailable: The provider did not answer.
    """
    pool = user_pool.pool()
    asked = {"grant_type": "refresh_token", "client_id": pool.client_id, "refresh_token": refresh_token}
    tokens = _tokens(pool.token_url, FORM_HEADERS, urlencode(asked))
    _start_session(request, pool, tokens["id_token"])
    return tokens["refresh_token"] or refresh_token


@for_browsers("POST")
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session, and redirect to the provider, which ends its own and returns to the root.

    The session here ends also if the provider cannot be reached.
    """
    end_session(request)
    try:
        pool = _pool(request)
    except Unavailable as error:
        raise Unavailable(ONLY_HERE) from error
    if token := refresh_cookie.kept(request):
        _revoke(pool, token)
    return HttpResponseRedirect(pool.logout_url(request.build_absolute_uri(reverse("root"))))


def _pool(request: HttpRequest) -> Provider:
    """Return the identity provider. Raise `Http404` if the service has no login for browsers."""
    if not offered(request)["login_offered"]:
        raise Http404
    pool = user_pool.pool()
    pool.allow(_callback(request), request.build_absolute_uri(reverse("root")))
    return pool


def _client(pool: Provider) -> Any:
    """Return the OAuth client of this service. It is public and has no secret, so it uses PKCE."""
    if settings.LOCAL:  # a hosted UI on this machine has no certificate
        os.environ.setdefault("OAUTHLIB_INSECURE_TRANSPORT", "1")
    from oauthlib.oauth2 import WebApplicationClient

    return WebApplicationClient(pool.client_id)


def _callback(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("login-callback"))


def own_page(request: HttpRequest, page: str, otherwise: str) -> str:
    """Return a page that a request names if it is one of this service, else the other one."""
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if ours else otherwise


def _page_after(request: HttpRequest) -> str:
    """Return the page that a login leads to, without its query if it is long. It is the root by default."""
    page, root = request.GET.get("next", ""), reverse("root")
    short = page if len(page) <= MOST_OF_A_PAGE else page.partition("?")[0]
    return own_page(request, short, root) if len(short) <= MOST_OF_A_PAGE else root


def _exchange(request: HttpRequest, pool: Provider, state: str, verifier: str) -> dict[str, str]:
    """Exchange the code in the request for tokens. Raise `Unverified` if the answer does not belong to this login."""
    from oauthlib.oauth2 import OAuth2Error

    try:
        url, headers, body = _client(pool).prepare_token_request(
            pool.token_url,
            authorization_response=request.build_absolute_uri(),
            redirect_url=_callback(request),
            state=state,
            code_verifier=verifier,
        )
    except OAuth2Error as error:
        raise Unverified("The answer of the login page is not the one that was asked for.") from error
    return _tokens(url, headers, body)


def _tokens(url: str, headers: dict[str, str], body: str) -> dict[str, str]:
    """Return the provider's ID token and refresh token, which is empty if there is none.

    Raises:
        Unverified: The provider refuses.
        Unavailable: It does not answer, or answers no tokens.
    """
    try:
        with _post(url, headers, body) as answer:
            found = json.load(answer)
            return {"id_token": str(found["id_token"]), "refresh_token": str(found.get("refresh_token") or "")}
    except HTTPError as error:
        if error.code < 500 and error.code not in BUSY:
            raise Unverified("The login page's code was refused.") from error
        raise Unavailable(SILENT) from error
    except (OSError, HTTPException, ValueError, LookupError, TypeError, RecursionError) as error:
        raise Unavailable(SILENT) from error


def _post(url: str, headers: dict[str, str], body: str) -> Any:
    from urllib.request import Request

    return opened(Request(url, body.encode(), headers), EXCHANGE_TIMEOUT_SECONDS)  # noqa: S310 (a `trusted_url`)


def _revoke(pool: Provider, refresh_token: str) -> None:
    """Revoke a refresh token. If the provider cannot, or does not answer, the token expires by itself."""
    if not pool.revoke_url:
        return
    body = urlencode({"token": refresh_token, "client_id": pool.client_id})
    try:
        _post(pool.revoke_url, FORM_HEADERS, body).close()
    except (OSError, HTTPException):
        return


def _start_session(request: HttpRequest, pool: Provider, id_token: str) -> None:
    """Store the user in the session, with only the groups that have permissions: a cookie holds 4 KB."""
    from eventsite.auth import tokens

    claims = tokens.verify(id_token, pool)
    who = tokens.principal(claims, pool)
    request.session[WHO] = {
        "sub": who.sub,
        "groups": sorted(who.groups & {ORGANIZERS, ADMINS}),
        "name": who.name[:128],
        "email": who.email,
        "verified": who.email_verified,
        "until": int(claims["exp"]),
    }
    request.session.set_expiry(max(1, int(claims["exp"] - time.time())))
