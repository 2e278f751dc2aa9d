"""Signing in locally: two commands, and a user pool that is still there tomorrow."""

import re
import signal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.eventsite.processes import has_ended, manage, runserver

COGNITO = {"AUTH_MODE": "cognito"}


def call(server: Any, path: str, token: str) -> int:
    """The status of a GET with a token."""
    url = "http://{}:{}{}".format(*server.address, path)
    try:
        with urlopen(Request(url, headers={"Authorization": f"Bearer {token}"})) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


def token_in(output: str) -> str:
    """The token that the command printed."""
    found = re.search(r"^eyJ[\w-]+\.[\w-]+\.[\w-]+$", output, re.MULTILINE)
    assert found, output
    return found[0]


def test_local_user_prints_a_token_that_works_and_goes_on_working(tmp_path: Path) -> None:
    with runserver(tmp_path, "--noreload", **COGNITO) as server:
        assert "Sign-in: user pool " in server.output
        made = manage(tmp_path, "local_user", "alice", "--group", "Admins", **COGNITO)
        assert (made.returncode, made.stderr) == (0, "")
        token = token_in(made.stdout)
        assert f"curl -H 'Authorization: Bearer {token}'" in made.stdout
        assert call(server, "/users", token) == 200
        assert call(server, "/users", token[:-9]) == 401
        server.end(signal.SIGINT)
        assert has_ended(tmp_path)
    with runserver(tmp_path, "--noreload", **COGNITO) as server:
        assert call(server, "/users", token) == 200
        again = token_in(manage(tmp_path, "local_user", "alice", **COGNITO).stdout)
        assert call(server, "/users", again) == 200


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"},
        {"COGNITO_USER_POOL_ID": "eu-west-1_AbC", "COGNITO_CLIENT_ID": "client", "SECRET_KEY": "set"},
    ],
    ids=["another engine", "another pool"],
)
def test_local_users_are_for_the_embedded_engine(tmp_path: Path, environment: dict[str, str]) -> None:
    refused = manage(tmp_path, "local_user", "alice", **environment)
    assert refused.returncode == 1
    assert refused.stderr.startswith("CommandError: This is for local runs with the embedded engine")


def test_only_the_groups_that_mean_something_can_be_given(tmp_path: Path) -> None:
    assert manage(tmp_path, "local_user", "alice", "--group", "admins").returncode == 2
