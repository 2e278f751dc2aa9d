"""`manage.py check --deploy` and the settings themselves: what they refuse, each with a sentence."""

import os
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from eventsite import settings as settings_module
from tests.children import SECONDS

GOOD_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "eventsite-prod", "SECRET_KEY": GOOD_KEY}
POOL = {"AUTH_MODE": "cognito", "COGNITO_USER_POOL_ID": "eu-west-1_AbC", "COGNITO_CLIENT_ID": "client"}


HOOK = "https://hooks.example.org/eventsite?key=0123"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"

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
        timeout=SECONDS,
        check=False,
    )


def test_the_command_fails_without_a_choice() -> None:
    refused = manage("check", "--deploy", "--fail-level", "ERROR")
    assert refused.returncode == 1
    assert "AUTH_MODE is not set" in refused.stderr
    assert "SECRET_KEY is weak" in refused.stderr


def test_the_command_passes_a_good_stage() -> None:
    passed = manage("check", "--deploy", "--fail-level", "WARNING", **LAMBDA, **POOL)
    assert (passed.returncode, passed.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (LAMBDA, "On Lambda, AUTH_MODE must be set"),
        (LAMBDA | {"AUTH_MODE": "none"}, "AUTH_MODE must be one of open, cognito, oidc, not 'none'."),
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
        ({"NOTICE_BUS": "a bus"}, "NOTICE_BUS must be the name or the ARN of an EventBridge bus"),
        ({"NOTICE_BUS": "arn:aws:sqs:eu-west-1:123456789012:queue"}, "NOTICE_BUS must be"),
        ({"MAIL_FROM": "events"}, "MAIL_FROM must be an e-mail address"),
        ({"MAIL_FROM": "a@example.org\nBcc: b@example.org"}, "MAIL_FROM must be an e-mail address"),
        ({"PUBLIC_URL": "http://events.example"}, "PUBLIC_URL must be an https URL"),
        ({"WEBHOOKS": HOOK}, "WEBHOOKS needs WEBHOOK_SECRET"),
        ({"WEBHOOKS": f"{HOOK} http://hooks.example.org/"}, "WEBHOOKS must be https URLs of public hosts, separated"),
        ({"WEBHOOK_SECRET": "c2hvcnQ="}, "WEBHOOK_SECRET must be whsec_ and 24 to 64 random bytes"),
        ({"WEBHOOK_SECRET": "whsec_c2hvcnQ="}, "WEBHOOK_SECRET must be whsec_ and 24 to 64 random bytes"),
        ({"WEBHOOK_SECRET": f"{SECRET} whsec_not-base64"}, "WEBHOOK_SECRET must be whsec_ and 24 to 64 random bytes"),
        ({"NOTICE_QUEUE_URL": "queue"}, "NOTICE_QUEUE_URL must be an https URL"),
        *[
            (POOL | {name: f"https://{host}"}, f"{name} must be an http")
            for name in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL", "COGNITO_JWKS_URL", "COGNITO_DOMAIN")
            for host in ("[::1", "a.example:port", "a.example:99999", "a.example:0", ":443")
        ],
        ({"AWS_ENDPOINT_URL": "localhost:4566"}, "AWS_ENDPOINT_URL must be an http or https URL"),
        *[
            ({"ALLOWED_HOSTS": f"events.example,{host}"}, "ALLOWED_HOSTS must be host names or addresses")
            for host in ("[::1", "::1", "https://a.example", "a.example:8000", "a.example/", "ä.example", ".")
        ],
        ({"LOCAL_DYNAMODB_DIR": "~nosuchuser/data"}, "LOCAL_DYNAMODB_DIR must be a directory, not '~nosuchuser/data'"),
        ({"EVENTS_TABLE_NAME": "all", "USERS_TABLE_NAME": "all"}, "EVENTS_TABLE_NAME, USERS_TABLE_NAME and"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(monkeypatch, environment)
    assert str(refused.value).startswith(sentence)


def settings_of(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> dict[str, Any]:
    """The settings as this environment makes them, whatever the tests' own is."""
    for name in [name for name in os.environ if name.startswith(("ALLOWED_", "AWS_", "AUTH_", "COGNITO_", "SECRET_"))]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(settings_module.__file__)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "//hooks.example.org/",
        "https://",
        "https://hooks",
        "https://hooks.example.org:99999/",
        "https://user:password@hooks.example.org/",
        "https://@hooks.example.org/",
        "https://hooks.example.org/#part",
        "https://hooks.example.org/é",
        "https://hooks.exämple.org/",
        "https://localhost/",
        "https://hooks.localhost/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://%31%32%37.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
    ],
)
def test_a_webhook_that_is_not_for_the_public_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(monkeypatch, LAMBDA | POOL | {"WEBHOOKS": f"{HOOK} {url}", "WEBHOOK_SECRET": SECRET})
    said = "WEBHOOKS must be https URLs of public hosts, separated by spaces; number 2 is not."
    assert str(refused.value) == said


def test_a_secret_that_is_wrong_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings_of(monkeypatch, {"WEBHOOK_SECRET": "hunter2"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("between", [",", ", ", " "])
def test_hosts_and_origins_are_lists(monkeypatch: pytest.MonkeyPatch, between: str) -> None:
    hosts, origins = ["events.example", "www.events.example"], ["https://a.example", "https://b.example"]
    lists = {"ALLOWED_HOSTS": between.join(hosts), "CORS_ALLOWED_ORIGINS": between.join(origins)}
    settings = settings_of(monkeypatch, LAMBDA | POOL | lists)
    assert (settings["ALLOWED_HOSTS"], settings["CORS_ALLOWED_ORIGINS"]) == (hosts, origins)


def test_webhooks_and_their_secrets_are_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "https://93.184.215.14:8443/"
    made = settings_of(monkeypatch, {"WEBHOOKS": f"{HOOK}, {other} {HOOK}", "WEBHOOK_SECRET": f"{SECRET} {SECRET}"})
    assert made["WEBHOOKS"] == [HOOK, other]
    assert [len(secret) for secret in made["WEBHOOK_SECRETS"]] == [33, 33]


def test_on_this_machine_a_receiver_may_be_on_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"WEBHOOKS": "http://127.0.0.1:9000/hook", "WEBHOOK_SECRET": SECRET}
    assert settings_of(monkeypatch, here)["WEBHOOKS"]
    assert settings_of(monkeypatch, here | AT_LOOPBACK)["WEBHOOKS"]
    with pytest.raises(ImproperlyConfigured, match="number 1 is not"):
        settings_of(monkeypatch, here | {"WEBHOOKS": "http://192.168.0.7:9000/hook"})
    with pytest.raises(ImproperlyConfigured, match="number 1 is not"):
        settings_of(monkeypatch, here | LAMBDA | POOL)


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        (LAMBDA | POOL, ""),
        (LAMBDA | POOL | {"ALLOWED_HOSTS": "events.example"}, "https://events.example"),
        (LAMBDA | POOL | {"ALLOWED_HOSTS": "events.example", "BASE_PATH": "/prod"}, "https://events.example/prod"),
        (LAMBDA | POOL | {"ALLOWED_HOSTS": ".example"}, ""),
        (LAMBDA | POOL | {"ALLOWED_HOSTS": "a.example,b.example"}, ""),
        (LAMBDA | POOL | {"PUBLIC_URL": "https://c.example/events/"}, "https://c.example/events"),
        ({}, "http://localhost:8000"),
    ],
)
def test_links_lead_to_the_name_that_the_service_has(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str
) -> None:
    assert settings_of(monkeypatch, environment)["PUBLIC_URL"] == url


def test_mail_is_a_choice_but_for_local_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(monkeypatch, LAMBDA | POOL)["MAIL_FROM"] == ""
    assert settings_of(monkeypatch, {})["MAIL_FROM"] == "eventsite@localhost.localdomain"


@pytest.mark.parametrize("command", ["runserver", "create_tables", "check"])
def test_a_command_that_cannot_start_prints_one_sentence(command: str) -> None:
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
        timeout=SECONDS,
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
        timeout=SECONDS,
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
