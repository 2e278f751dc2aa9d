"""The service as a Lambda in its own process: events go in, answers and log lines come out.

``python -m tests.lambdas [FUNCTION ...]`` is that process: it breaks the named functions first, so that calling one
raises an error whose message holds what it was called with, as messages of real defects do.
"""

import base64
import io
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

from tests.bench.cold_start import SETTINGS

HOST = "abc123.execute-api.us-east-1.amazonaws.com"
MAX_BYTES = 6_291_556
"""What Lambda takes of an answer, once it is JSON."""
CONTEXT = SimpleNamespace(
    aws_request_id="11111111-2222-3333-4444-555555555555",
    function_name="eventsite-test",
    memory_limit_in_mb="512",
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:eventsite-test",
)
SETTLED = {
    "AUTH_MODE": "open",
    "CALLER_RATE": "0",
    "AWS_LAMBDA_FUNCTION_NAME": "eventsite-test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT": "1",
}


class Told(NamedTuple):
    """What came of an event."""

    status: int
    headers: dict[str, str]
    text: str
    log: list[str]
    size: int

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The requests' own lines in the log."""
        told = [json.loads(line) for line in self.log if line.startswith("{")]
        return [line for line in told if line.get("message") == "request"]


class Function:
    """A running Lambda."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def invoke(self, event: Any) -> Told:
        """Hand it an event."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        answer = told["answer"]
        body = answer.get("body") or ""
        if answer.get("isBase64Encoded"):
            body = base64.b64decode(body).decode("latin-1")
        headers = {name.title(): value for name, value in answer.get("headers", {}).items()}
        return Told(answer["statusCode"], headers, body, told["log"].splitlines(), len(json.dumps(answer)))

    def call(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Told:
        """Send a request as API Gateway passes it on. Underscores in names of headers are dashes."""
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        return self.invoke(gateway_event(method, path, body, named))


def gateway_event(method: str, path: str, body: str | bytes | None, headers: dict[str, str]) -> dict[str, Any]:
    """The event of API Gateway's proxy integration (version 1.0) for a request."""
    route, _, query = path.partition("?")
    parameters = parse_qs(query, keep_blank_values=True)
    sent = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"} | headers
    binary = isinstance(body, bytes)
    return {
        "resource": "/{proxy+}",
        "path": unquote(route),
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "requestContext": {
            "httpMethod": method,
            "stage": "dev",
            "requestId": "gateway-1",
            "identity": {"sourceIp": "192.0.2.7"},
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": binary,
    }


@contextmanager
def running(engine: str, *broken: str, **variables: str) -> Iterator[Function]:
    """Run the Lambda on an engine, with these functions broken and these variables besides the usual ones."""
    environment = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL_DYNAMODB": engine} | SETTLED | variables
    command = [sys.executable, "-m", "tests.lambdas", *broken]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Function(process)
        finally:
            process.terminate()


def main(broken: list[str]) -> None:
    """Be the Lambda: one event a line in, one answer a line out."""
    out, told = sys.stdout, io.StringIO()
    sys.excepthook = lambda *raised: traceback.print_exception(*raised, file=sys.__stderr__)
    sys.stdout = sys.stderr = told
    module = ModuleType("zappa_settings")
    exec(SETTINGS, vars(module))
    sys.modules[module.__name__] = module
    from eventsite.aws_lambda import lambda_handler

    for name in broken:
        _break(name)
    for line in sys.stdin:
        told.seek(0)
        told.truncate()
        answer = lambda_handler(json.loads(line), CONTEXT)
        out.write(json.dumps({"answer": answer, "log": told.getvalue()}) + "\n")
        out.flush()


def _break(name: str) -> None:
    def fail(*values: Any, **named: Any) -> Any:
        raise RuntimeError(f"{name} broke with {values} {named}")

    owner, _, function = name.rpartition(".")
    setattr(resolve_name(owner), function, fail)


if __name__ == "__main__":
    main(sys.argv[1:])
