"""One service in a process of its own, called as Lambda calls it: ``python -m tests.bench.worker eventsite|rival``.

It reads a line of JSON, sends the requests in it through the handler, and writes a line: for each request its status,
the CPU seconds that it took and the bytes of its answer, and, where it is asked to count, DynamoDB's calls and units.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from tests.bench import cold_start
from tests.metering import Meter, units

CONTEXT = SimpleNamespace(
    aws_request_id="1",
    function_name="bench",
    memory_limit_in_mb="512",
    invoked_function_arn="arn:aws:lambda:eu-west-1:000000000000:function:bench",
)
Handler = Callable[[Any, Any], Any]


class RivalMeter(Meter):
    """Counts the other service's calls, which it makes on a boto3 client."""

    def __enter__(self) -> "RivalMeter":
        from tests.bench import rival

        self._client, self._send = rival.client, rival.client._make_api_call

        def counted(operation: str, arguments: dict[str, Any]) -> Any:
            asked = {} if operation == "DescribeTable" else {"ReturnConsumedCapacity": "TOTAL"}
            answer = self._send(operation, arguments | asked)
            self.calls.append(operation)
            self.units += units(operation, arguments, answer)
            return answer

        self._client._make_api_call = counted
        return self

    def __exit__(self, *_: Any) -> None:
        self._client._make_api_call = self._send


def load(service: str) -> tuple[Handler, Callable[[], Meter]]:
    """A service's handler, and what counts its calls."""
    if service == "rival":
        from tests.bench import rival

        return rival.handler, RivalMeter
    with TemporaryDirectory() as directory:
        (Path(directory) / "zappa_settings.py").write_text(cold_start.SETTINGS)
        sys.path.insert(0, directory)
        from eventsite.aws_lambda import lambda_handler

    return lambda_handler, Meter


def event_of(request: dict[str, Any]) -> dict[str, Any]:
    """A request as API Gateway puts it."""
    path, method, query = request["path"], request.get("method", "GET"), request.get("query")
    event: dict[str, Any] = json.loads(json.dumps(cold_start.REQUEST))
    event |= {"path": path, "httpMethod": method, "pathParameters": {"proxy": path[1:]}, "queryStringParameters": query}
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()} if query else None
    event["requestContext"] |= {"path": f"/dev{path}", "httpMethod": method}
    headers = dict(request.get("headers", {}))
    if "body" in request:
        event["body"] = json.dumps(request["body"])
        headers["Content-Type"] = "application/json"
    event["headers"] |= headers
    event["multiValueHeaders"] |= {name: [value] for name, value in headers.items()}
    return event


def answer(handler: Handler, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request."""
    event = event_of(request)
    began = time.process_time()  # of all threads: a list asks several streams at once
    answer = handler(event, CONTEXT)
    seconds = time.process_time() - began
    body = answer.get("body") or ""
    return {"status": answer["statusCode"], "cpu": seconds, "bytes": len(body.encode()), "body": body}


def carry_out(order: dict[str, Any], handler: Handler, meter: Callable[[], Meter]) -> dict[str, Any]:
    """What a line asks for: ``requests``, and maybe ``count`` (of calls) or ``threads`` (to send them from)."""
    requests = order["requests"]
    if threads := order.get("threads"):
        began, processor = time.monotonic(), time.process_time()
        with ThreadPoolExecutor(threads, initializer=lambda: asyncio.set_event_loop(asyncio.new_event_loop())) as pool:
            answers = list(pool.map(lambda request: answer(handler, request), requests))
        told: dict[str, Any] = {"seconds": time.monotonic() - began, "processor": time.process_time() - processor}
    else:
        with meter() if order.get("count") else nullcontext() as counting:
            answers = [answer(handler, request) for request in requests]
        told = {"calls": counting.calls, "units": counting.units} if counting else {}
    last = answers[-1].pop("body") if answers else ""
    told |= {name: [one[name] for one in answers] for name in ("status", "cpu", "bytes")}
    return told | {"body": last, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    """Serve until there is no more input. What the service prints and logs goes nowhere, but costs what it costs."""
    orders, answers = sys.stdin, os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    if not os.environ.get("BENCH_VERBOSE"):
        os.dup2(nowhere, 2)
    handler, meter = load(sys.argv[1])
    for line in orders:
        answers.write(json.dumps(carry_out(json.loads(line), handler, meter)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
