"""How long a cold start takes, beside that of a bare FastAPI service: `python -m tests.bench.cold_start`.

One run is a fresh process that imports the Lambda's handler from the unzipped package and answers the first GET of
an event out of DynamoDB; what counts is the CPU time of that process from its start, as the Lambda is billed and
throttled by CPU. The other service is the least that FastAPI, Mangum and boto3 can be: one route, one GetItem. Its
modules are compiled like ours. Both run in turn, many times, against the same engine; the medians are compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsite.deployment import lambda_package
from tests.engines import running_engine

MAX_MEGABYTES, MAX_SECONDS = 42, 0.30
EVENT_ID = "first-read"
PREFIX = "cold-start-"

RUN = """
import sys, time
sys.path[:0] = sys.argv[2:]
module, _, function = sys.argv[1].rpartition(".")
handler = getattr(__import__(module, fromlist=[function]), function)
initialized = time.process_time()
import json
class Context:
    aws_request_id = "1"
    function_name = "cold-start"
    memory_limit_in_mb = "512"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:cold-start"
answer = handler(json.loads(sys.stdin.read()), Context())
done = time.process_time()
assert answer["statusCode"] == 200, answer
assert json.loads(answer["body"])["eventId"] == "first-read", answer
print(json.dumps([initialized, done]), file=sys.stderr)
"""

OTHER_SERVICE = """
import os
import boto3
from fastapi import FastAPI, HTTPException
from mangum import Mangum

app = FastAPI()
table = boto3.resource("dynamodb").Table(os.environ["EVENTS_TABLE_NAME"])


@app.get("/events/{event_id}")
def read(event_id: str) -> dict:
    item = table.get_item(Key={"eventId": event_id, "item": "event"}, ConsistentRead=True).get("Item")
    if item is None:
        raise HTTPException(404)
    return item


handler = Mangum(app, lifespan="off")
"""
PATH = f"/events/{EVENT_ID}"
REQUEST = {
    "resource": "/{proxy+}",
    "path": PATH,
    "httpMethod": "GET",
    "headers": {"Host": "abc.execute-api.eu-west-1.amazonaws.com", "Accept": "application/json"},
    "multiValueHeaders": {"Host": ["abc.execute-api.eu-west-1.amazonaws.com"], "Accept": ["application/json"]},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": {"proxy": PATH[1:]},
    "requestContext": {
        "resourcePath": "/{proxy+}",
        "httpMethod": "GET",
        "path": f"/dev{PATH}",
        "stage": "dev",
        "requestId": "1",
        "identity": {"sourceIp": "127.0.0.1"},
    },
    "body": None,
    "isBase64Encoded": False,
}
SETTINGS = """
APP_MODULE = "eventsite.wsgi"
APP_FUNCTION = "application"
DJANGO_SETTINGS = "eventsite.settings"
DEBUG = False
LOG_LEVEL = "INFO"
EXCEPTION_HANDLER = DOMAIN = BASE_PATH = None
BINARY_SUPPORT = True
CONTEXT_HEADER_MAPPINGS = {}
ENVIRONMENT_VARIABLES = {}
API_STAGE = "dev"
PROJECT_NAME = "eventsite"
ADDITIONAL_TEXT_MIMETYPES = ["application/problem+json"]
"""


def environment(endpoint: str) -> dict[str, str]:
    """What the Lambda's processes find in their environment."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "cold-start",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "DYNAMODB_TABLE_PREFIX": PREFIX,
        "EVENTS_TABLE_NAME": f"{PREFIX}events",
        "AUTH_MODE": "open",
        "SECRET_KEY": "of the cold start " * 4,
        "BASE_PATH": "/dev",
        "INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT": "1",
    }


def run(handler: str, paths: list[Path], endpoint: str, **more: str) -> tuple[float, float]:
    """Answer one request in a fresh process. Return its CPU seconds until the handler was loaded, and in all."""
    command = [sys.executable, "-S", "-E", "-c", RUN, handler, *map(str, paths)]
    request = json.dumps(REQUEST)
    done = subprocess.run(
        command, input=request, env=environment(endpoint) | more, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    initialized, answered = json.loads(done.stderr.splitlines()[-1])
    return initialized, answered


def install(target: Path, *requirements: str) -> Path:
    """Install packages into a directory, compiled as ours are."""
    quietly = ["--quiet", "--no-compile", "--disable-pip-version-check", "--no-warn-conflicts"]
    subprocess.run([sys.executable, "-m", "pip", "install", *quietly, "--target", target, *requirements], check=True)
    lambda_package.compile_all(target)
    return target


@contextmanager
def services(directory: Path) -> Iterator[dict[str, tuple[str, list[Path]]]]:
    """Both services, ready to be started: the handler and the import path of each."""
    ours, other, runtime = directory / "ours", directory / "other", directory / "runtime"
    ours.mkdir()
    (ours / lambda_package.SETTINGS_FILE).write_text(SETTINGS)
    lambda_package.build(ours, architecture="x86_64")
    install(other, "fastapi", "mangum", "boto3")
    (other / "service.py").write_text(OTHER_SERVICE)
    install(runtime, "boto3")  # which every Lambda finds in its runtime
    yield {
        "eventsite": ("eventsite.aws_lambda.lambda_handler", [ours, runtime]),
        "fastapi": ("service.handler", [other, runtime]),
    }


def size(directory: Path) -> float:
    """Megabytes of a directory, as Lambda counts them against its limit."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 1e6


def prepare(endpoint: str) -> None:
    """Make the tables and the event."""
    subprocess.run([sys.executable, "-c", PREPARE], env=environment(endpoint), check=True, cwd=lambda_package.ROOT)


PREPARE = f"""
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "eventsite.settings"
django.setup()

from events import services
from eventsite.dynamodb.base_model import table_models

for model in table_models():
    model.create_table(wait=True)
fields = dict(title="T", description="D", date="2083-01-01", location="L", capacity=5, organizer="O", status="active")
services.create(fields | {{"event_id": "{EVENT_ID}"}}, organizer_id=None)
"""


def measure(runs: int) -> dict[str, list[tuple[float, float]]]:
    """CPU seconds of every run of both services, started in turn."""
    figures: dict[str, list[tuple[float, float]]] = {}
    with (
        tempfile.TemporaryDirectory() as place,
        running_engine(module="ministack") as endpoint,
        services(Path(place)) as both,
    ):
        prepare(endpoint)
        megabytes = size(Path(place) / "ours")
        print(f"package: {megabytes:.1f} MB unzipped, of {MAX_MEGABYTES} allowed")
        if megabytes > MAX_MEGABYTES:
            sys.exit(1)
        for turn in range(runs + 1):
            for name, (handler, paths) in both.items():
                figure = run(handler, paths, endpoint)
                if turn:  # the first run of each only warms the disk's cache
                    figures.setdefault(name, []).append(figure)
    return figures


def main() -> None:
    """Measure and print. The exit status is 1 if a budget is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    figures = measure(parser.parse_args().runs)
    for name, values in figures.items():
        initialized, answered = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"{name:10} init {initialized:.3f} s, first read {answered:.3f} s CPU")
    ours, other = ([answered for _, answered in figures[name]] for name in ("eventsite", "fastapi"))
    faster = sum(mine < theirs for mine, theirs in zip(ours, other, strict=True))
    print(f"faster in {faster} of {len(ours)} pairs; {MAX_SECONDS} s allowed")
    sys.exit(statistics.median(ours) > min(MAX_SECONDS, statistics.median(other)))


if __name__ == "__main__":
    main()
