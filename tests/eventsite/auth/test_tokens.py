"""Which tokens are believed. Whatever else comes is answered with 401, and never with 500."""

import json
import socket
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from eventsite.auth import tokens
from eventsite.auth import user_pool as pools
from eventsite.ids import is_id
from tests.api import EVENT, Api, problem
from tests.eventsite.auth import issuing
from tests.eventsite.auth.issuing import Jwks, claims, jwk, key, raw_token, token
from tests.signing_in import As, alice, olivia, use_pool
from users.serializers import UserChangesSerializer

pytestmark = pytest.mark.usefixtures("cognito")

PROTECTED = "/users/issued-sub"


@pytest.fixture
def jwks(settings: Settings) -> Iterator[Jwks]:
    """A pool whose tokens we sign ourselves."""
    with issuing.serving() as server:
        use_pool(settings, issuing.POOL.pool_id, issuing.POOL.client_id, jwks_url=server.url)
        tokens.keys.cache_clear()
        yield server


def believed(sent: str) -> bool:
    """Whether a token is. (The user does not exist, so who is believed gets a 404.)"""
    answer = As(sent).get(PROTECTED)
    if answer.status_code == 401:
        assert problem(answer) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer.json()["detail"].endswith(".")
    else:
        assert problem(answer)[0] == 404
    return bool(answer.status_code == 404)


def test_no_token_where_one_is_needed(api: Api) -> None:
    answer = api.post("/events", EVENT)
    assert problem(answer) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_tokens_of_the_pool_are_believed() -> None:
    person = alice()
    for sent in (person.access, person.id):
        assert As(sent).post("/users", {"name": "Alice"}).status_code in (201, 409)
    assert As(olivia().access).post("/events", EVENT).json()["organizerId"] == olivia().sub


def test_the_scheme_is_case_insensitive(jwks: Jwks) -> None:
    assert Api().get(PROTECTED, authorization=f"bearer {token()}").status_code == 404


def test_a_token_of_another_pool_is_not_believed(jwks: Jwks) -> None:
    assert believed(token())
    assert not believed(alice().access)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"client_id": None},
        {"client_id": None, "aud": issuing.POOL.client_id},  # an access token has no audience
        {"token_use": "id"},  # and an ID token no client_id
        {"token_use": "id", "client_id": None, "aud": "another"},
        {"token_use": "id", "client_id": None, "aud": [issuing.POOL.client_id]},
        {"token_use": "refresh"},
        {"token_use": None},
        {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a#draft"},
        {"exp": None},
    ],
    ids=str,
)
def test_claims_that_do_not_fit(jwks: Jwks, changes: dict[str, Any]) -> None:
    assert believed(token())
    assert not believed(token(**changes))


@pytest.mark.parametrize(
    ("claim", "seconds", "good"),
    [("exp", -20, True), ("exp", -40, False), ("nbf", 20, True), ("nbf", 40, False), ("iat", 20, True)],
)
def test_clocks_may_differ_by_half_a_minute(jwks: Jwks, claim: str, seconds: int, good: bool) -> None:
    changes: dict[str, Any] = {claim: int(time.time()) + seconds}
    assert believed(token(**changes)) is good


def test_an_id_token_for_this_client_is_believed(jwks: Jwks) -> None:
    assert believed(token(token_use="id", client_id=None, aud=issuing.POOL.client_id))


@pytest.mark.parametrize("groups", [["Organizers"], ["Others", "Organizers"], "Organizers"])
def test_groups_are_a_list_or_one_text(jwks: Jwks, groups: Any) -> None:
    assert As(token(**{"cognito:groups": groups})).post("/events", EVENT).status_code == 201


@pytest.mark.parametrize(
    "groups",
    [["organizers"], "NotOrganizers", [], "", ["Organizers "], "x,Admins", "[Organizers Others]", "Others, Organizers"],
)
def test_other_groups_are_other_groups(jwks: Jwks, groups: Any) -> None:
    assert As(token(**{"cognito:groups": groups})).post("/events", EVENT).status_code == 403


def test_only_rs256_is_believed(jwks: Jwks) -> None:
    public = key("first").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", "kid": "first"}
    signing_input = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims()))
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signing_input, public)
    assert not believed((signing_input + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode())
    assert not believed(jwt.encode(claims(), "", "none", {"kid": "first"}))
    for algorithm in ("RS512", "PS256"):
        assert not believed(jwt.encode(claims(), key("first"), algorithm, {"kid": "first"}))
    assert believed(token())


def test_a_signature_by_another_key_is_not_believed(jwks: Jwks) -> None:
    assert not believed(jwt.encode(claims(), key("second"), "RS256", {"kid": "first"}))


def test_a_key_in_the_token_itself_is_not_believed(jwks: Jwks) -> None:
    header = {"kid": "second", "jwk": jwk("second"), "jku": jwks.url}
    assert not believed(jwt.encode(claims(), key("second"), "RS256", header))


def test_every_way_to_damage_a_token(jwks: Jwks) -> None:
    good = token()
    header, payload, signature = good.split(".")
    changed = urlsafe_b64encode(json.dumps(claims(sub="admin")).encode()).rstrip(b"=").decode()
    damaged = [good[:-8], good[: len(good) // 2], f"{header}.{payload}", f"{header}.{payload}.", f"{good}.{signature}"]
    damaged += [f"{header}.{changed}.{signature}", f".{payload}.{signature}", "...", "x", f"{good}{good}"]
    assert [sent for sent in damaged if believed(sent)] == []


def test_a_token_that_is_too_long_is_not_even_parsed(jwks: Jwks) -> None:
    assert not believed(token(padding="x" * tokens.MAX_CHARACTERS))
    assert jwks.asked == 0


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Basic YTpi",
        "Token x",
        "Bearer é",
        "Bearer\tx",
        ",",
        "Bearer x, Bearer y",
    ],
)
def test_headers_that_are_no_bearer_token(api: Api, header: str) -> None:
    answer = api.get("/events", authorization=header)
    assert problem(answer) == (401, "invalid_token")


def test_a_bad_token_is_refused_even_where_none_is_needed(api: Api) -> None:
    assert problem(api.get("/events", authorization="Bearer x")) == (401, "invalid_token")


@given(header=st.text(st.characters(max_codepoint=255)) | st.from_regex(r"\A[Bb]earer +[A-Za-z0-9._~+/=-]*\Z"))
def test_no_header_gets_a_500(header: str) -> None:
    """Nothing is written, so the examples may share the tables."""
    assert Api().get("/events", authorization=header).status_code == 401


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CLAIMS = st.sampled_from(
    ["sub", "iss", "exp", "nbf", "iat", "token_use", "client_id", "aud", "cognito:groups", "username", "jti"]
)


@given(changes=st.dictionaries(CLAIMS, JSON, min_size=1, max_size=4))
def test_no_claims_get_a_500(jwks: Jwks, changes: dict[str, Any]) -> None:
    """Signed by the right key, but strange. Only a GET, so the examples may share the tables."""
    sent = raw_token(json.dumps({"alg": "RS256", "kid": "first"}).encode(), json.dumps(claims() | changes).encode())
    answer = As(sent).get("/events?organizerId=me")
    assert answer.status_code in (200, 401)
    if answer.status_code == 200:
        said = claims() | changes
        client = {"access": "client_id", "id": "aud"}[said["token_use"]]
        assert (said["iss"], said[client]) == (issuing.POOL.issuer, issuing.POOL.client_id)
        assert is_id(said["sub"])
        assert int(said["exp"]) > time.time() - tokens.LEEWAY_SECONDS - 1


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"1", b"null", b"{", b"\xff", b"[" * 5000, b'{"exp":1e999}', b'{"exp":' + b"9" * 4999 + b"}"],
)
@pytest.mark.parametrize("where", ["header", "payload"])
def test_signed_garbage(jwks: Jwks, where: str, payload: bytes) -> None:
    header = payload if where == "header" else b'{"alg":"RS256","kid":"first"}'
    assert not believed(raw_token(header, payload))


@pytest.mark.parametrize("exp", [float("inf"), float("nan"), 10**400, "soon", [], {}, True, "١٢"])
def test_no_time_of_expiry_is_strange_enough(jwks: Jwks, exp: Any) -> None:
    header, payload = b'{"alg":"RS256","kid":"first"}', json.dumps(claims() | {"exp": exp}).encode()
    assert As(raw_token(header, payload)).get("/events").status_code in (200, 401)


@pytest.mark.parametrize("kid", [None, 1, [], {}, "", "unknown", "../first", "x" * 3000])
def test_key_ids_of_every_kind(jwks: Jwks, kid: Any) -> None:
    assert not believed(raw_token(json.dumps({"alg": "RS256", "kid": kid}).encode(), json.dumps(claims()).encode()))


def test_the_keys_are_fetched_once(jwks: Jwks) -> None:
    assert [believed(token()) for _ in range(3)] == [True] * 3
    assert jwks.asked == 1


def test_an_unknown_key_is_looked_for_once_and_not_again_so_soon(jwks: Jwks) -> None:
    assert believed(token())
    assert [believed(token("second")) for _ in range(3)] == [False] * 3
    assert jwks.asked == 1  # the first fetch is recent
    tokens.keys(jwks.url)._last_successful_fetch = time.monotonic() - tokens.REFETCH_AFTER_SECONDS
    assert [believed(token("second")) for _ in range(3)] == [False] * 3
    assert jwks.asked == 2


def test_a_new_key_is_believed_once_it_is_found(jwks: Jwks) -> None:
    assert believed(token())
    jwks.publish("second")
    tokens.keys(jwks.url)._last_successful_fetch = time.monotonic() - tokens.REFETCH_AFTER_SECONDS
    assert believed(token("second"))
    assert not believed(token("first"))


BAD_ANSWERS = [b"", b"<html>", b"[]", b"null", b'{"keys": []}', b'{"keys": 1}', b'{"keys": [{"kty": "??"}]}', b"\xff"]


@pytest.mark.parametrize(
    ("status", "body"), [(200, body) for body in BAD_ANSWERS] + [(500, b""), (302, b""), (404, b"")]
)
def test_keys_that_cannot_be_had_are_no_pass(jwks: Jwks, status: int, body: bytes) -> None:
    jwks.status, jwks.answer = status, body
    for _ in range(3):
        answer = As(token()).get("/events")
        assert problem(answer) == (503, "service_unavailable")
        assert answer.headers["Retry-After"]
    assert jwks.asked == 1  # nobody waits for it again so soon
    assert Api().get("/events").status_code == 200


def test_nobody_listens_where_the_keys_should_be(settings: Settings, jwks: Jwks) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.COGNITO_JWKS_URL = f"http://127.0.0.1:{port}/jwks.json"
    assert problem(As(token()).get("/events")) == (503, "service_unavailable")


def test_a_server_of_keys_that_hangs_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, jwks: Jwks
) -> None:
    monkeypatch.setattr(tokens, "FETCH_TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.COGNITO_JWKS_URL = f"http://127.0.0.1:{silent.getsockname()[1]}/jwks.json"
        assert problem(As(token()).get("/events")) == (503, "service_unavailable")


def test_a_failed_search_for_an_unknown_key_does_not_shut_out_the_known_one(jwks: Jwks) -> None:
    assert believed(token())
    jwks.status = 500
    tokens.keys(jwks.url)._last_successful_fetch = time.monotonic() - tokens.REFETCH_AFTER_SECONDS
    assert problem(As(token("second")).get("/events")) == (503, "service_unavailable")
    assert believed(token())


def test_an_open_service_ignores_tokens(settings: Settings, jwks: Jwks) -> None:
    settings.AUTH_MODE = "open"
    assert As("garbage").post("/events", EVENT).json()["organizerId"] is None
    assert jwks.asked == 0


def test_the_keys_of_a_pool_are_where_aws_has_them(settings: Settings) -> None:
    use_pool(settings, "eu-west-1_AbC", "client")
    assert pools.pool().issuer == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC"
    assert pools.pool().jwks_url == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC/.well-known/jwks.json"


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Alice B.", "cognito:username": "alice"}, "Alice B."),
        ({"cognito:username": "alice", "username": "other"}, "alice"),
        ({"username": "alice"}, "alice"),
        ({"name": "  ", "username": "alice"}, "alice"),
        ({"name": ["Alice"], "username": "alice"}, "alice"),
        ({"name": "A\0", "username": "alice"}, "alice"),
        ({"name": "A\x1b]0;B", "username": "alice"}, "alice"),
        ({"name": "A\nB", "username": "alice"}, "alice"),
        ({"name": "\u202eecilA", "username": "alice"}, "alice"),
        ({"name": "\u202b\u202c", "username": "alice"}, "alice"),
        ({"name": "\u200b\u3164", "username": "alice"}, "alice"),
        ({"name": "\u200b" * 200 + "A", "username": "alice"}, "alice"),
        ({"name": "x" * 300}, "x" * 200),
        ({"name": "\ud800"}, "?"),
        ({}, ""),
    ],
)
def test_a_caller_has_the_first_name_that_a_user_may_have(claims: dict[str, Any], name: str) -> None:
    assert tokens.principal({"sub": "a-sub", **claims}, issuing.POOL).name == name


@given(name=st.text() | st.text("\u202e\u200b\x1b\n a", max_size=4))
def test_every_name_of_a_caller_is_one_that_the_api_would_take(name: str) -> None:
    found = tokens.principal({"sub": "a-sub", "name": name}, issuing.POOL).name
    assert found == "" or UserChangesSerializer(data={"name": found}).is_valid()
