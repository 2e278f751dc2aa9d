"""What the Lambda loads before its first request, and what it must not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils.module_loading import import_string

from eventsite.deployment.lambda_package import ROOT
from tests.bench import cold_start

MOST_MODULES = 600
SETTINGS = json.loads((ROOT / "zappa_settings.json").read_text())["dev"]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, engine: str) -> dict[str, str]:
    """Files of the modules that a fresh Lambda in open mode has loaded, by name."""
    directory = tmp_path_factory.mktemp("started")
    (directory / "zappa_settings.py").write_text(cold_start.SETTINGS)
    script = """if True:
        import json, sys
        sys.path[:0] = sys.argv[1:]
        not_in_the_package = ("blinker", "colorama", "markdown", "pygments", "requests")
        sys.modules |= dict.fromkeys(not_in_the_package)
        import eventsite.aws_lambda
        loaded = {name: str(getattr(module, "__file__", "")) for name, module in sys.modules.items()}
        import asyncio, boto3, botocore.session, django.core.mail, sqlparse, werkzeug.wrappers, yaml
        from aws_lambda_powertools.utilities import jmespath_utils
        assert asyncio.run(asyncio.sleep(0, "slept")) == "slept" and asyncio.coroutines.iscoroutine
        assert django.core.mail.EmailMessage and jmespath_utils.extract_data_from_envelope and sqlparse.split("a;b")
        from django.contrib.admindocs.views import simplify_regex
        assert boto3.Session and botocore.session.get_session().get_credentials().access_key == "test"
        assert yaml.safe_load("a: 1") == {"a": 1}
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


def test_a_module_that_the_runtime_has_imported_stays(engine: str, tmp_path: Path) -> None:
    """Without its package, its parts are not imported again: `import asyncio` fails then."""
    (tmp_path / "zappa_settings.py").write_text(cold_start.SETTINGS)
    script = """if True:
        import sys
        sys.path[:0] = sys.argv[1:]
        import asyncio
        import eventsite.aws_lambda
        assert sys.modules["asyncio"] is asyncio
        import django.core.handlers.asgi
    """
    command = [sys.executable, "-c", script, str(tmp_path), str(ROOT)]
    done = subprocess.run(command, env=cold_start.environment(engine), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_views_and_the_client_are_there_before_the_first_request(started: dict[str, str]) -> None:
    assert {"events.views", "registrations.views", "users.views", "eventsite.dynamodb.client"} <= started.keys()


@pytest.mark.parametrize(
    "module",
    [
        "asgiref.sync",
        "asyncio",
        "aws_lambda_powertools.tracing",
        "aws_lambda_powertools.utilities.jmespath_utils",
        "boto3",
        "botocore.client",
        "botocore.session",
        "cloudevents",
        "cryptography",
        "django.contrib.admin",
        "django.core.checks",
        "django.core.mail",
        "django.core.management",
        "django.db.models",
        "django.forms",
        "django.utils.autoreload",
        "django.views.debug",
        "drf_spectacular.generators",
        "eventsite.deployment",
        "eventsite.local",
        "jsonschema",
        "jwt",
        "oauthlib",
        "registrations.browsable",
        "registrations.notices",
        "registrations.transfer",
        "rest_framework.schemas.openapi",
        "sqlparse",
        "uritemplate",
        "urllib.request",
        "werkzeug.serving",
        "yaml",
    ],
)
def test_what_no_plain_request_needs_is_not_loaded(started: dict[str, str], module: str) -> None:
    assert module not in started


def test_a_cold_start_loads_few_modules(started: dict[str, str]) -> None:
    """Each costs a quarter of a millisecond of CPU. A new one may be worth it: then raise the number."""
    assert len(started) <= MOST_MODULES


@pytest.fixture(scope="module")
def prepared(engine: str) -> str:
    """The URL of an engine that has the event to read."""
    cold_start.prepare(engine)
    return engine


@pytest.mark.parametrize("client", ["lean", "botocore"])
def test_either_client_reads_an_event(prepared: str, tmp_path: Path, client: str) -> None:
    (tmp_path / "zappa_settings.py").write_text(cold_start.SETTINGS)
    paths = [tmp_path, ROOT, *map(Path, sys.path[1:])]
    assert cold_start.run("eventsite.aws_lambda.lambda_handler", paths, prepared, DYNAMODB_CLIENT=client)


ANSWERING = """if True:
    import json, sys
    sys.path[:0] = sys.argv[1:]
    from eventsite.aws_lambda import lambda_handler

    def ask(method, path, accept, body=None):
        headers = {"Host": "abc.execute-api.eu-west-1.amazonaws.com", "Accept": accept}
        headers["Content-Type"] = accept if accept == "application/json" else "application/x-www-form-urlencoded"
        query = {"format": "csv"} if accept == "text/csv" else None
        context = {"stage": "dev", "requestId": "1", "identity": {"sourceIp": "127.0.0.1"}}
        event = {"path": path, "httpMethod": method, "headers": headers, "requestContext": context, "body": body}
        return lambda_handler(event | {"queryStringParameters": query, "multiValueQueryStringParameters": None}, None)

    answers = [ask(*asked) for asked in json.load(sys.stdin)]
    print(json.dumps([[answer["statusCode"], answer["body"]] for answer in answers]), file=sys.stderr)
"""
JSON, PAGE = "application/json", "text/html"


def test_what_was_left_out_of_the_start_is_there_when_an_answer_needs_it(prepared: str, tmp_path: Path) -> None:
    asked = {
        ("GET", "/openapi.json", JSON): 200,
        ("OPTIONS", "/events", JSON): 200,
        ("POST", "/users", JSON, '{"userId": "ada", "name": "Ada", "email": "ada@example.org"}'): 201,
        ("POST", f"{cold_start.PATH}/registrations", JSON, '{"userId": "ada"}'): 201,
        ("GET", f"{cold_start.PATH}/registrations", "text/csv"): 200,
        ("GET", f"{cold_start.PATH}/registrations", PAGE): 200,
        ("GET", "/docs", PAGE): 200,
        ("GET", "/nowhere", PAGE): 404,
        ("POST", "/events", PAGE, "title=Party"): 422,
        ("GET", "/static/eventsite/icon.svg", "image/svg+xml"): 200,
    }
    (tmp_path / "zappa_settings.py").write_text(cold_start.SETTINGS)
    command = [sys.executable, "-c", ANSWERING, str(tmp_path), str(ROOT)]
    environment, sent = cold_start.environment(prepared), json.dumps(list(asked))
    done = subprocess.run(command, env=environment, input=sent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stderr.splitlines()[-1])
    assert [status for status, _ in answers] == list(asked.values()), done.stdout + done.stderr
    document, usual = json.loads(answers[0][1]), json.loads(Client().get("/openapi.json").content)
    assert (document["paths"], document["components"]) == (usual["paths"], usual["components"])


RESTORED = """if True:
    import random, sys
    from types import ModuleType
    sys.path[:0] = sys.argv[1:]
    hooks = []
    library = sys.modules["snapshot_restore_py"] = ModuleType("snapshot_restore_py")
    library.__spec__ = object()
    library.register_after_restore = hooks.append
    import eventsite.aws_lambda
    from eventsite.dynamodb.connection import connection
    random.seed(1)
    before = connection()
    for hook in hooks:
        hook()
    print(random.random(), connection() is before, file=sys.stderr)
"""


def test_copies_of_a_snapshot_have_random_numbers_and_connections_of_their_own(engine: str, tmp_path: Path) -> None:
    (tmp_path / "zappa_settings.py").write_text(cold_start.SETTINGS)
    told = set()
    for _ in range(2):
        command = [sys.executable, "-c", RESTORED, str(tmp_path), str(ROOT)]
        environment = cold_start.environment(engine)
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        number, is_the_same = done.stderr.split()[-2:]
        assert is_the_same == "False"
        told.add(number)
    assert len(told) == 2


RECEIVING = """if True:
    import json, sys
    from types import ModuleType
    sys.path[:0] = sys.argv[1:]
    from eventsite.aws_lambda import lambda_handler
    from django.conf import settings
    receiver = sys.modules["receiver"] = ModuleType("receiver")
    receiver.take = lambda event, context: [record["id"] for record in event["Records"]] + [context]
    settings.RECORDS_TO = {"aws:sqs": "receiver.take"}
    records = [{"eventSource": "aws:sqs", "id": 1}, {"eventSource": "aws:sqs", "id": 2}]
    print(json.dumps(lambda_handler({"Records": records}, "context")), file=sys.stderr)
"""


def test_records_go_to_who_takes_them_and_the_answer_comes_back(engine: str, tmp_path: Path) -> None:
    (tmp_path / "zappa_settings.py").write_text(cold_start.SETTINGS)
    command = [sys.executable, "-c", RECEIVING, str(tmp_path), str(ROOT)]
    environment = cold_start.environment(engine)
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stderr.splitlines()[-1]) == [1, 2, "context"]


def test_every_function_that_the_settings_name_exists() -> None:
    for name in (*SETTINGS["callbacks"].values(), SETTINGS["app_function"], *settings.RECORDS_TO.values()):
        assert callable(import_string(name)), name
    module, _, _ = SETTINGS["lambda_handler"].rpartition(".")
    assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists()
