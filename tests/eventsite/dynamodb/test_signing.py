"""Signatures: botocore's are the reference, byte for byte. And credentials: from wherever botocore has them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from eventsite.dynamodb.signing import Keys, Signer, find_keys

URLS = [
    "https://dynamodb.eu-west-1.amazonaws.com",
    "https://dynamodb.cn-north-1.amazonaws.com.cn",
    "https://Example.COM:443/",
    "https://example.com:8443",
    "http://127.0.0.1:8000",
    "http://127.0.0.1:80",
    "http://[::1]:8000",
    "http://example.com/some/path",
]
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
KEYS = st.builds(Keys, WORDS, WORDS, st.none() | WORDS)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def botocores(url: str, region: str, headers: dict[str, str], body: bytes, keys: Keys, moment: datetime) -> str:
    """What botocore puts into the header Authorization of the same request."""
    request = AWSRequest(
        "POST", url, data=body, headers={name: headers[name] for name in ("content-type", "x-amz-target")}
    )
    with patch("botocore.auth.get_current_datetime", lambda: moment):
        SigV4Auth(Credentials(*keys), "dynamodb", region).add_auth(request)
    return str(request.headers["Authorization"])


@given(
    url=st.sampled_from(URLS),
    region=st.sampled_from(["eu-west-1", "us-gov-west-1", "cn-north-1"]),
    operation=st.sampled_from(["GetItem", "Query", "TransactWriteItems"]),
    body=st.binary(max_size=3000),
    keys=KEYS,
    moment=MOMENTS,
)
def test_a_signature_is_botocores(
    url: str, region: str, operation: str, body: bytes, keys: Keys, moment: datetime
) -> None:
    headers = Signer(url, region).headers(operation, body, keys, moment.strftime("%Y%m%dT%H%M%SZ"))
    assert headers["x-amz-target"] == f"DynamoDB_20120810.{operation}"
    assert headers["authorization"] == botocores(url, region, headers, body, keys, moment)


@given(body=st.binary(max_size=300), keys=KEYS)
def test_the_request_that_is_sent_is_the_one_that_was_signed(body: bytes, keys: Keys) -> None:
    signer = Signer("https://example.com:8443/path", "eu-west-1")
    head, _, sent = signer.request("GetItem", body, keys, "20270101T120000Z").partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert (first, sent) == ("POST /path HTTP/1.1", body)
    headers = signer.headers("GetItem", body, keys, "20270101T120000Z")
    assert [line for line in lines if not line.startswith("content-length")] == [
        f"{name}: {value}" for name, value in headers.items()
    ]
    assert f"content-length: {len(body)}" in lines


# Credentials.


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which botocore finds nothing, and asks nobody."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "CREDENTIAL_EXPIRATION", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def test_credentials_of_the_environment_need_nothing_of_botocores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with patch("botocore.session.get_session", side_effect=AssertionError):
        assert find_keys()() == Keys("a", "b", None)
        monkeypatch.setenv("AWS_SESSION_TOKEN", "c")
        assert find_keys()() == Keys("a", "b", "c")


def test_a_profile_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        "[other]\naws_access_key_id=a\naws_secret_access_key=b\naws_session_token=c\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert find_keys()() == Keys("a", "b", "c")


def test_a_program_that_issues_credentials_is_asked_again_when_they_expire(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    issued = tmp_path / "issued"
    issued.write_text("")
    program = tmp_path / "issue"
    expiry = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()  # so soon that they are renewed at every use
    answer = {"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c", "Expiration": expiry}
    program.write_text(f"#!/bin/sh\necho >> {issued}\necho '{json.dumps(answer)}'\n")
    program.chmod(0o700)
    (tmp_path / "config").write_text(f"[profile other]\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_PROFILE", "other")
    keys = find_keys()
    before = len(issued.read_text())
    assert keys() == Keys("a", "b", "c")
    assert len(issued.read_text()) > before


def test_credentials_that_expire_are_renewed_before_they_do() -> None:
    def issue() -> dict[str, Any]:
        return {"access_key": "new", "secret_key": "b", "token": "c", "expiry_time": in_minutes(60).isoformat()}

    old = RefreshableCredentials("old", "b", "c", in_minutes(1), issue, "test")
    with patch("botocore.session.Session.get_credentials", return_value=old):
        assert find_keys()().access_key == "new"


def in_minutes(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def test_without_credentials_the_error_is_botocores() -> None:
    with pytest.raises(NoCredentialsError):
        find_keys()
