"""What a Lambda logs: one line for each request, and nothing that somebody could be known or robbed by."""

import json
from typing import Any

import pytest

from tests import lambdas
from tests.api import EVENT
from tests.eventsite.auth import issuing
from tests.lambdas import Told

SECRETS = {
    "id": "alice-the-first",
    "event": "a-secret-party",
    "name": "Alice Liddell",
    "email": "alice@example.org",
    "code": "authorization-code-7",
    "state": "state-of-the-login",
    "title": "Unbirthday in the garden",
    "query": "looking-for-something",
    "key": "idempotency-of-alice",
    "agent": "Alices own browser",
    "sub": "sub-of-alice",
}
FORM = "application/x-www-form-urlencoded"


def everything(token: str) -> list[tuple[str, str, str | None, dict[str, str]]]:
    """A request of each kind, full of secrets."""
    event = json.dumps(EVENT | {"eventId": SECRETS["event"], "title": SECRETS["title"], "organizer": SECRETS["name"]})
    user = json.dumps({"userId": SECRETS["id"], "name": SECRETS["name"], "email": SECRETS["email"]})
    query = f"?x={SECRETS['query']}&name={SECRETS['name'].replace(' ', '+')}"
    login = f"/login/callback?code={SECRETS['code']}&state={SECRETS['state']}"
    bearer = {
        "authorization": f"Bearer {token}",
        "cookie": f"sessionid={token}",
        "referer": f"https://x/{SECRETS['query']}",
    }
    bearer |= {"idempotency_key": SECRETS["key"], "user_agent": SECRETS["agent"], "content_type": "application/json"}
    path = f"/events/{SECRETS['event']}"
    return [
        ("POST", "/events" + query, event, bearer),
        ("POST", "/users" + query, user, bearer),
        ("PATCH", path + query, json.dumps({"title": SECRETS["title"], "capacity": -1}), bearer),
        ("GET", path + query, None, bearer),
        ("GET", "/events" + query, None, bearer | {"accept": "text/html"}),
        ("POST", f"{path}/registrations", json.dumps({"userId": SECRETS["id"]}), bearer),
        ("GET", f"{path}/registrations/{SECRETS['id']}", None, bearer),
        ("DELETE", f"{path}/registrations/{SECRETS['id']}", None, bearer),
        ("GET", f"/users/{SECRETS['id']}/registrations{query}", None, bearer),
        ("GET", login, None, bearer),
        ("POST", "/logout", None, bearer),
        ("GET", f"/nothing/{SECRETS['id']}{query}", None, bearer),
        ("GET", "/events", None, bearer | {"host": f"{SECRETS['id']}.example"}),
        (
            "POST",
            "/events",
            SECRETS["title"],
            bearer | {"content_type": f"application/json; charset*=foo''{SECRETS['id']}"},
        ),
        (
            "POST",
            "/events",
            f"title={SECRETS['title']}&x=1" + "&x=1" * 1200,
            bearer | {"content_type": FORM, "accept": "text/html"},
        ),
        ("GET", f"/events?cursor={SECRETS['query']}", None, bearer | {"origin": f"https://{SECRETS['id']}.example"}),
    ]


def told_nothing(told: Told, token: str) -> None:
    log = "\n".join(told.log)
    for secret in [*SECRETS.values(), *token.split("."), issuing.POOL.client_id]:
        assert secret not in log and json.dumps(secret)[1:-1] not in log
    if "X-Correlation-Id" in told.headers:  # the middleware worked
        assert [line["status"] for line in told.lines] == [told.status]
    else:
        assert told.status == 500 and told.headers["Content-Type"] == "application/problem+json"


BROKEN: dict[str, list[str]] = {
    "nothing": [],
    "the database": ["eventsite.dynamodb.connection.PatientConnection._make_api_call"],
    "the rules": [
        "events.services.read",
        "events.services.create",
        "events.listing.page",
        "users.services.create",
        "eventsite.web.pagination.read_cursor",
    ],
    "the seats": [
        "registrations.seating.services.register",
        "registrations.seating.services.leave",
        "registrations.reading.attendances.of_user",
    ],
    "the shape of answers": ["eventsite.web.renderers.JSONRenderer.render"],
    "the login": ["eventsite.auth.login.offered", "eventsite.auth.authentication.BearerAuthentication.authenticate"],
    "the edge": ["eventsite.web.wsgi.parse_header_parameters"],
}


@pytest.mark.parametrize("mode", ["open", "cognito"])
@pytest.mark.parametrize("broken", BROKEN)
def test_the_log_holds_nothing_about_people(engine: str, broken: str, mode: str) -> None:
    groups: dict[str, Any] = {"cognito:groups": ["Admins"]}
    token = issuing.token(sub=SECRETS["sub"], username=SECRETS["name"], **groups)
    with issuing.serving() as jwks:
        pool = {
            "COGNITO_USER_POOL_ID": issuing.POOL.pool_id,
            "COGNITO_CLIENT_ID": issuing.POOL.client_id,
            "COGNITO_JWKS_URL": jwks.url,
            "COGNITO_DOMAIN": "https://login.example",
        }
        with lambdas.running(engine, *BROKEN[broken], AUTH_MODE=mode, **pool) as function:
            answers: list[Any] = []
            for method, path, body, headers in everything(token):
                told = function.call(method, path, body, **headers)
                told_nothing(told, token)
                answers.append(told)
    if broken != "nothing":
        assert any(told.status >= 500 for told in answers)
        assert any(len(told.log) > 1 for told in answers)  # the failure has been logged
