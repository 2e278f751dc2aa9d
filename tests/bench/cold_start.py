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
from typing import NamedTuple

from eventsite.deployment import lambda_package
from tests.engines import running_engine

MAX_MEGABYTES, MAX_SECONDS = 42, 0.27
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


class Starts(NamedTuple):
    """The cold starts of a service: for each, its CPU seconds until the handler was loaded, and in all."""

    seconds: list[tuple[float, float]]
    megabytes: float
    """The size of the package, unzipped."""

    @property
    def medians(self) -> tuple[float, float]:
        """Return the CPU seconds until the handler was loaded, and until the first answer."""
        initialized, answered = (statistics.median(column) for column in zip(*self.seconds, strict=True))
        return initialized, answered


def measure(runs: int) -> dict[str, Starts]:
    """Start both services in turn. Returns: the starts by the name of the service."""
    with (
        tempfile.TemporaryDirectory() as place,
        running_engine(module="ministack") as endpoint,
        services(Path(place)) as both,
    ):
        prepare(endpoint)
        found = {name: Starts([], size(paths[0])) for name, (_, paths) in both.items()}
        for turn in range(runs + 1):
            for name, (handler, paths) in both.items():
                seconds = run(handler, paths, endpoint)
                if turn:  # the first run of each only warms the disk's cache
                    found[name].seconds.append(seconds)
    return found


def main() -> None:
    """Measure and print. The exit status is 1 if a budget is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    found = measure(parser.parse_args().runs)
    ours, other = found["eventsite"], found["fastapi"]
    print(f"package: {ours.megabytes:.1f} MB unzipped, of {MAX_MEGABYTES} allowed")
    for name, starts in found.items():
        initialized, answered = starts.medians
        print(f"{name:10} init {initialized:.3f} s, first read {answered:.3f} s CPU")
    faster = sum(mine < theirs for (_, mine), (_, theirs) in zip(ours.seconds, other.seconds, strict=True))
    print(f"faster in {faster} of {len(ours.seconds)} pairs; {MAX_SECONDS} s allowed")
    is_slow = ours.medians[1] > min(MAX_SECONDS, other.medians[1])
    sys.exit(is_slow or ours.megabytes > MAX_MEGABYTES)


if __name__ == "__main__":
    main()
