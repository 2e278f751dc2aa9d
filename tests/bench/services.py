"""Both services of the benchmark, each as a process, and the data that they are asked about."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import boto3

from tests.bench import cold_start

QUEUE = "bench-notices"
"""The queue that messages of organizers go to."""
SERVICES = ("eventsite", "rival")
REAL = 100
"""The number of events that are made by requests, because what a service derives from a date is not copied right."""
STATUSES = ("active", "published", "draft", "cancelled")
EVENT = {
    "title": "Spring party",
    "description": "Music and cake in the garden. " * 5,
    "date": "2084-06-15",
    "location": "Garden",
    "capacity": 100_000,
    "organizer": "The garden club",
    "waitlistEnabled": True,
}
Request = dict[str, Any]


class Service:
    """One process of a service."""

    def __init__(self, name: str, endpoint: str) -> None:
        command = [sys.executable, "-m", "tests.bench.worker", name]
        self.name = name
        self._process = subprocess.Popen(
            command, env=environment(endpoint), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def order(self, requests: list[Request], **more: Any) -> None:
        """Let it send requests. Fetch their `answers` afterwards."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"requests": requests, **more}) + "\n")
        self._process.stdin.flush()

    def answers(self) -> dict[str, Any]:
        """What came of the order before."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} is gone; BENCH_VERBOSE=1 shows why")
        told: dict[str, Any] = json.loads(line)
        return told

    def send(self, requests: list[Request], **more: Any) -> dict[str, Any]:
        """Send requests one after the other. Raises `RuntimeError` unless all succeed."""
        self.order(requests, **more)
        told = self.answers()
        if bad := [status for status in told["status"] if status >= 300]:
            raise RuntimeError(f"{self.name} answers {bad[0]} to one of {requests[:2]}: {told['body'][:300]}")
        return told

    def end(self) -> None:
        """Let the process end."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


def environment(endpoint: str) -> dict[str, str]:
    """What both find in their environment."""
    more = {"CALLER_RATE": "0", "AWS_EC2_METADATA_DISABLED": "true"}  # everybody calls from one address
    mail = {"MAIL_FROM": "events@example.org", "NOTICE_QUEUE_URL": f"{endpoint}/000000000000/{QUEUE}"}
    sqs = {"AWS_ENDPOINT_URL_SQS": endpoint}
    return cold_start.environment(endpoint) | {"PATH": os.environ["PATH"]} | more | mail | sqs


@contextmanager
def running(name: str, endpoint: str) -> Iterator[Service]:
    """A process of a service, until the end of the block."""
    service = Service(name, endpoint)
    try:
        yield service
    finally:
        service.end()


def _client(service: str, endpoint: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-west-1"}
    session: Any = boto3
    return session.client(service, endpoint_url=endpoint, **keys)


class Data:
    """The tables of one service.

    Many equal things are made by sending one request and copying the rows that it left under other ids, so the
    benchmark knows nothing of how a service keeps its data. Counters of a row (seats) are never copied.
    """

    def __init__(self, service: Service, endpoint: str) -> None:
        self._service = service
        self._client = _client("dynamodb", endpoint)
        prefix = "rival" if service.name == "rival" else cold_start.PREFIX
        self._tables = [name for name in self._client.list_tables()["TableNames"] if name.startswith(prefix)]
        self._templates: dict[str, list[tuple[str, str]]] = {}

    def events(self, numbers: range) -> None:
        """Make events of all four statuses, on many days. The first hundred, which are edited, are no copies."""
        for number in range(numbers.start, min(REAL, numbers.stop)):
            body = EVENT | {"eventId": f"event-{number:07}", "status": STATUSES[number % 4], "date": _day(number)}
            self._service.send([{"method": "POST", "path": "/events", "body": body}])
        for status in STATUSES:
            key = self._template(status, partial(self._made_event, status))
            chosen = [number for number in numbers if STATUSES[number % 4] == status and number >= REAL]
            self._copy(status, [{key: f"event-{number:07}", str(EVENT["date"]): _day(number)} for number in chosen])

    def users(self, numbers: range) -> list[str]:
        """Make users. Returns: their ids."""
        key = self._template("user", self._made_user)
        names = [f"user-{number:07}" for number in numbers]
        self._copy("user", [{key: name} for name in names])
        return names

    def _made_event(self, status: str) -> str:
        made = self._service.send([{"method": "POST", "path": "/events", "body": EVENT | {"status": status}}])
        return str(json.loads(made["body"])["eventId"])

    def _made_user(self) -> str:
        user = {"userId": "template-of-users", "name": "Somebody"}
        self._service.send([{"method": "POST", "path": "/users", "body": user}])
        return user["userId"]

    def _template(self, name: str, make: Callable[[], str]) -> str:
        """Make something, and keep the rows that hold its id. Returns: the id."""
        if name not in self._templates:
            key = make()
            self._templates[name] = [("", key), *(row for row in self._rows() if key in row[1])]
        return self._templates[name][0][1]

    def _rows(self) -> Iterator[tuple[str, str]]:
        for table in self._tables:
            for page in self._client.get_paginator("scan").paginate(TableName=table):
                yield from ((table, json.dumps(row)) for row in page["Items"])

    def _copy(self, template: str, replacements: list[dict[str, str]]) -> None:
        puts = []
        for replaced in replacements:
            for table, row in self._templates[template][1:]:
                text = row
                for old, new in replaced.items():
                    text = text.replace(old, new)
                puts.append((table, {"PutRequest": {"Item": json.loads(text)}}))
        for first in range(0, len(puts), 25):
            batch: dict[str, Any] = {}
            for table, put in puts[first : first + 25]:
                batch.setdefault(table, []).append(put)
            while batch:
                batch = self._client.batch_write_item(RequestItems=batch).get("UnprocessedItems") or {}


def write_history(endpoint: str, event_id: str, entries: int) -> None:
    """Write entries of an event's history, which the service writes after its answers, from the stream."""
    arguments = [sys.executable, "-c", HISTORY, event_id, str(entries)]
    subprocess.run(arguments, env=environment(endpoint), check=True)


HISTORY = """
import django, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "eventsite.settings"
django.setup()

from events.ledger.models import Seats
from eventsite import clock
from registrations.notices import history

event_id, entries = sys.argv[1], int(sys.argv[2])
change = dict(type="registration.registered", time=clock.now(), data={"eventId": event_id})
place = f"{event_id}.{Seats.find(event_id).incarnation}"
history.record([dict(change, id=f"{place}.{n}", subject=f"user-{n + 1:07}") for n in range(entries)])
"""


def _day(number: int) -> str:
    """A day of 2084 that has nothing to do with the status, but is the same in every run."""
    digits = hashlib.sha256(str(number).encode()).digest()
    return f"2084-{digits[0] % 12 + 1:02}-{digits[1] % 28 + 1:02}"


def prepare(endpoint: str) -> None:
    """Make the tables of both, and the queue of ours."""
    cold_start.prepare(endpoint)
    _client("sqs", endpoint).create_queue(QueueName=QUEUE)
    script = "from tests.bench import rival; rival.create_table()"
    subprocess.run([sys.executable, "-c", script], env=environment(endpoint), check=True)
