"""What the Lambda loads before its first request, and what it must not."""

import json
import subprocess
import sys

import pytest
from django.utils.module_loading import import_string

from eventsite.deployment.lambda_package import ROOT
from tests.bench import cold_start

SETTINGS = json.loads((ROOT / "zappa_settings.json").read_text())["dev"]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, engine: str) -> dict[str, str]:
    """Files of the modules that a fresh Lambda in open mode has loaded, by name."""
    directory = tmp_path_factory.mktemp("started")
    (directory / "zappa_settings.py").write_text(cold_start.SETTINGS)
    script = """if True:
        import json, sys
        sys.path[:0] = sys.argv[1:]
        import eventsite.aws_lambda
        loaded = {name: str(getattr(module, "__file__", "")) for name, module in sys.modules.items()}
        import boto3, werkzeug.wrappers, yaml
        from django.contrib.admindocs.views import simplify_regex
        assert boto3.Session and yaml.safe_load("a: 1") == {"a": 1}
        assert simplify_regex("^events/(?P<event_id>[^/]+)$") == "/events/<event_id>"
        print(json.dumps(loaded), file=sys.stderr)
    """
    command = [sys.executable, "-c", script, str(directory), str(ROOT)]
    done = subprocess.run(
        command, env=cold_start.environment(engine), cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, str] = json.loads(done.stderr.splitlines()[-1])
    return loaded


def test_the_views_and_the_client_are_there_before_the_first_request(started: dict[str, str]) -> None:
    assert {"events.views", "registrations.views", "users.views", "botocore.endpoint"} <= started.keys()


@pytest.mark.parametrize(
    "module",
    [
        "boto3",
        "cryptography",
        "django.contrib.admin",
        "drf_spectacular.generators",
        "eventsite.deployment",
        "eventsite.local",
        "jsonschema",
        "jwt",
        "oauthlib",
        "werkzeug.serving",
        "yaml",
    ],
)
def test_what_no_plain_request_needs_is_not_loaded(started: dict[str, str], module: str) -> None:
    assert module not in started


def test_every_function_that_the_settings_name_exists() -> None:
    for name in (*SETTINGS["callbacks"].values(), SETTINGS["app_function"]):
        assert callable(import_string(name)), name
    module, _, _ = SETTINGS["lambda_handler"].rpartition(".")
    assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists()
