"""`manage.py check --deploy` and the settings themselves: what they refuse, each with a sentence."""

import os
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from eventsite import settings as settings_module

GOOD_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "eventsite-prod", "SECRET_KEY": GOOD_KEY}
POOL = {"AUTH_MODE": "cognito", "COGNITO_USER_POOL_ID": "eu-west-1_AbC", "COGNITO_CLIENT_ID": "client"}


LOOPBACK = ["http://localhost:9", "http://127.0.0.1", "https://127.9.9.9/", "http://[::1]:8000", "http://a.localhost"]

AT_LOOPBACK = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"}


@pytest.fixture
def production(settings: Settings) -> Settings:
    """Settings that may be deployed."""
    settings.AUTH_MODE, settings.AUTH_MODE_CHOSEN, settings.DEBUG = "cognito", True, False
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *settings.SIGN_IN_MIDDLEWARE]
    settings.ALLOWED_HOSTS, settings.SECRET_KEY = ["events.example"], GOOD_KEY
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    return settings


def found() -> list[str]:
    """The ids of what the checks have to say."""
    return [str(message.id) for message in run_checks(include_deployment_checks=True) if not message.is_silenced()]


def test_good_settings_pass(production: Settings) -> None:
    assert found() == []


def test_an_open_service_that_was_meant_passes(production: Settings) -> None:
    production.AUTH_MODE = "open"
    production.ALLOWED_HOSTS = ["*"]  # without cookies, that is no danger
    assert [message for message in found() if message.startswith("eventsite.")] == []


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("AUTH_MODE_CHOSEN", False, "eventsite.E001"),
        ("DEBUG", True, "eventsite.E002"),
        ("ALLOWED_HOSTS", ["*"], "eventsite.E003"),
        ("ALLOWED_HOSTS", ["events.example", "*"], "eventsite.E003"),
        *[("ALLOWED_HOSTS", [host], "eventsite.E003") for host in (".com", ".", "com", ".co.uk", ".amazonaws.com")],
        *[("COGNITO_DOMAIN", url, "eventsite.E007") for url in LOOPBACK],
        ("SECRET_KEY", "short", "eventsite.E004"),
        ("SECRET_KEY", "a", "eventsite.E004"),
        ("SECRET_KEY", "a" * 80, "eventsite.E004"),
        ("SECRET_KEY", "ab" * 40, "eventsite.E004"),
        ("SECRET_KEY", "local-runs-only-" + GOOD_KEY, "eventsite.E004"),
    ],
)
def test_what_must_not_be_deployed(production: Settings, name: str, value: object, error: str) -> None:
    setattr(production, name, value)
    assert error in found()


@pytest.mark.parametrize(
    "hosts", [["events.example"], [".events.example"], [".execute-api.eu-west-1.amazonaws.com"], [".club.co.uk"]]
)
def test_hosts_of_one_owner_may_be_deployed(production: Settings, hosts: list[str]) -> None:
    production.ALLOWED_HOSTS = hosts
    assert found() == []


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py with nothing but this environment."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=configured.BASE_DIR,
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_says_no() -> None:
    refused = manage("check", "--deploy", "--fail-level", "ERROR")
    assert refused.returncode == 1
    assert "AUTH_MODE is not set" in refused.stderr
    assert "SECRET_KEY is weak" in refused.stderr


def test_the_command_says_yes_to_a_stage_as_it_should_be() -> None:
    passed = manage("check", "--deploy", "--fail-level", "WARNING", **LAMBDA, **POOL)
    assert (passed.returncode, passed.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (LAMBDA, "On Lambda, AUTH_MODE must be set"),
        (LAMBDA | {"AUTH_MODE": "none"}, "AUTH_MODE must be one of open, cognito, not 'none'."),
        (LAMBDA | {"AUTH_MODE": "cognito"}, "AUTH_MODE=cognito needs both"),
        (LAMBDA | POOL | {"COGNITO_CLIENT_ID": ""}, "AUTH_MODE=cognito needs both"),
        (POOL | {"COGNITO_CLIENT_ID": ""}, "AUTH_MODE=cognito needs both"),
        (
            {"AUTH_MODE": "cognito", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"},
            "AUTH_MODE=cognito needs both",
        ),
        (LAMBDA | POOL | {"COGNITO_USER_POOL_ID": "pool"}, "COGNITO_USER_POOL_ID must be a user pool id"),
        (LAMBDA | POOL | {"COGNITO_CLIENT_ID": "a b"}, "COGNITO_CLIENT_ID must be the id of an app client"),
        (LAMBDA | POOL | {"COGNITO_JWKS_URL": "file:///keys"}, "COGNITO_JWKS_URL must be an https URL"),
        (LAMBDA | POOL | {"COGNITO_JWKS_URL": "http://keys.example/"}, "COGNITO_JWKS_URL must be an https URL"),
        (LAMBDA | POOL | {"COGNITO_DOMAIN": "http://login.example"}, "COGNITO_DOMAIN must be an https URL"),
        (LAMBDA | POOL | {"SECRET_KEY": ""}, "SECRET_KEY must be set"),
        (POOL, "SECRET_KEY must be set"),
        (POOL | AT_LOOPBACK, "SECRET_KEY must be set"),
        (AT_LOOPBACK | {"ALLOWED_HOSTS": "localhost,events.example"}, "SECRET_KEY must be set"),
        ({"ALLOWED_HOSTS": "*"}, "SECRET_KEY must be set"),
        ({"ALLOWED_HOSTS": "192.0.2.7"}, "SECRET_KEY must be set"),
        ({"DYNAMODB_TABLE_NAME": "events"}, "DYNAMODB_TABLE_NAME is called EVENTS_TABLE_NAME here"),
        ({"REGISTRATION_TABLE_NAME": "all"}, "REGISTRATION_TABLE_NAME is called REGISTRATIONS_TABLE_NAME here"),
        ({"AWS_DEFAULT_REGION": "Ireland"}, "AWS_DEFAULT_REGION must be a region"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], sentence: str
) -> None:
    for name in [name for name in os.environ if name.startswith(("ALLOWED_", "AWS_", "AUTH_", "COGNITO_", "SECRET_"))]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as refused:
        runpy.run_path(settings_module.__file__)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize("command", ["runserver", "create_tables", "check"])
def test_a_command_that_cannot_start_says_the_sentence_and_nothing_else(command: str) -> None:
    refused = manage(command, DYNAMODB_TABLE_NAME="events")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: DYNAMODB_TABLE_NAME is called EVENTS_TABLE_NAME here")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({}, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-north-1"}, "eu-north-1"),
        ({"AWS_DEFAULT_REGION": "eu-north-1", "AWS_REGION": ""}, "eu-north-1"),
        ({"AWS_DEFAULT_REGION": "eu-north-1", "AWS_REGION": "eu-west-1"}, "eu-west-1"),
    ],
)
def test_the_region_is_where_every_tool_of_aws_has_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], region: str
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert runpy.run_path(settings_module.__file__)["AWS_REGION"] == region


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({}, ""),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "http://127.0.0.1:4566"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://[::1]:2"}, "http://[::1]:2"),
    ],
)
def test_the_endpoint_is_where_every_tool_of_aws_has_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], endpoint: str
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert runpy.run_path(settings_module.__file__)["DYNAMODB_ENDPOINT"] == endpoint


def test_an_open_process_imports_nothing_of_signing_in(tmp_path: Path) -> None:
    """A cold start pays for what it uses."""
    code = """
import sys
from django.test import Client
from eventsite.wsgi import application
for path in ("/", "/nothing"):
    Client(SERVER_NAME="localhost").get(path, headers={"authorization": "Bearer x", "cookie": "sessionid=x"})
print([name for name in ("jwt", "cryptography", "oauthlib", "django.contrib.sessions.backends") if name in sys.modules])
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=configured.BASE_DIR,
        env={"PATH": os.environ["PATH"], "LOCAL_DYNAMODB_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.strip() == "[]"


def key_of(directory: Path, **environment: str) -> tuple[str, bool]:
    """The key that a process runs with, and whether its cookies are for https alone."""
    code = "from eventsite import settings; print(settings.SECRET_KEY, settings.SESSION_COOKIE_SECURE)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=configured.BASE_DIR,
        env={"PATH": os.environ["PATH"], "LOCAL_DYNAMODB_DIR": str(directory)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    key, secure = run.stdout.split()
    return key, secure == "True"


def test_a_local_run_has_a_key_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        keys = set(pool.map(key_of, [tmp_path / "one"] * 4))
    assert len(keys) == 1
    (key, secure), *_ = keys
    assert not secure and len(key) > 60
    assert (tmp_path / "one" / "secret-key").stat().st_mode & 0o077 == 0
    assert list((tmp_path / "one").iterdir()) == [tmp_path / "one" / "secret-key"]
    assert key_of(tmp_path / "two")[0] != key


def test_where_it_cannot_be_kept_it_is_good_for_one_process() -> None:
    nowhere = Path("/dev/null/nowhere")
    assert key_of(nowhere)[0] != key_of(nowhere)[0]


@pytest.mark.parametrize("environment", [POOL, {"ALLOWED_HOSTS": "events.example"}, LAMBDA | POOL])
def test_cookies_of_others_travel_by_https_only(tmp_path: Path, environment: dict[str, str]) -> None:
    assert key_of(tmp_path, **(AT_LOOPBACK | {"SECRET_KEY": GOOD_KEY} | environment)) == (GOOD_KEY, True)
