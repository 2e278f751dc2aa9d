"""In open mode, pages of other sites change nothing and read no user data, unless the operator allows them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from tests.api import Api
from tests.eventsite.openapi.test_contract import TABLE

EVIL = "https://evil.example"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CALLS = [tuple(row.call.format(eventId="party", userId="alice", token="t").split(" ")) for row in TABLE]
CHANGES = [(method, path) for method, path in CALLS if method not in ("GET", "HEAD")]
READS = [path for method, path in CALLS if method == "GET"]
SIMPLE = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain", ""]


def of_users(path: str) -> bool:
    return "alice" in path or path.startswith(("/users", "/calendars")) or path.count("/") > 2


def form(api: Api, path: str, method: str, content_type: str = SIMPLE[0], **headers: str) -> Any:
    return api.call("POST", path, raw=f"_method={method}", content_type=content_type, accept=BROWSER, **headers)


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize("sent", [{"origin": EVIL}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}], ids=str)
def test_a_form_of_another_site_is_refused(api: Api, method: str, path: str, sent: dict[str, str]) -> None:
    assert form(api, path, method, **sent).status_code == 403


@pytest.mark.parametrize("content_type", SIMPLE)
def test_every_body_that_needs_no_preflight_counts_as_a_form(api: Api, content_type: str) -> None:
    event = api.event()
    assert form(api, f"/events/{event}", "DELETE", content_type, origin=EVIL).status_code == 403
    assert api.get(f"/events/{event}").status_code == 200


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_script_of_another_site_is_refused(api: Api, method: str, path: str) -> None:
    assert api.call(method, path, {}, origin=EVIL, sec_fetch_site="cross-site").status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none", ""])
def test_scripts_of_the_same_host_may_change_things(api: Api, site: str) -> None:
    origin = "http://localhost:3000"
    created = api.post("/users", {"name": "Alice"}, origin=origin, sec_fetch_site=site)
    assert created.status_code == 201
    assert api.delete(f"/users/{created.json()['userId']}", origin=origin, sec_fetch_site=site).status_code == 204


@pytest.mark.parametrize("sent", [{}, {"origin": "http://localhost"}, {"sec_fetch_site": "same-origin"}], ids=str)
def test_our_own_forms_pass(api: Api, sent: dict[str, str]) -> None:
    event = api.event()
    assert form(api, f"/events/{event}", "DELETE", **sent).status_code != 403


@pytest.mark.parametrize("path", READS)
def test_other_sites_read_public_data_only(api: Api, path: str) -> None:
    answer = api.get(path, origin=EVIL)
    assert ("Access-Control-Allow-Origin" in answer.headers) is not of_users(path)


@pytest.mark.parametrize("path", READS)
def test_an_operator_may_allow_it(api: Api, path: str, settings: Settings) -> None:
    settings.CORS_CHOSEN = True
    assert api.get(path, origin=EVIL).headers["Access-Control-Allow-Origin"] == "*"


@given(origin=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40))
def test_an_odd_origin_is_foreign(api: Api, origin: str) -> None:
    assert form(api, "/events/none", "DELETE", origin=origin).status_code in (403, 400)
