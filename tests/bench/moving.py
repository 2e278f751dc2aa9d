"""How long the pause is in which the first release's data move into today's tables.

    python -m tests.bench.moving [--events 100] [--people 200]

Makes tables as the first release kept them, fills them, and follows docs/operations.md under "From the first
release": scans each into a file, and imports the files. Time is virtual and DynamoDB has physics, as in
`tests.bench.contention`; scanning and the machine's own computing take no time in it, and are printed apart.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django

PREFIX = "first-release-"
KEYS = {"events": ("eventId", "item"), "users": ("userId",), "registrations": ("eventId", "userId")}
Ask = Callable[[str, dict[str, Any]], Any]
"""Makes a call of DynamoDB's."""


def make_tables(ask: Ask) -> None:
    """Make tables that a scan cannot tell from the first release's."""
    for name, keys in KEYS.items():
        schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]
        types = [{"AttributeName": key, "AttributeType": "S"} for key in keys]
        table = {"TableName": PREFIX + name, "KeySchema": schema, "AttributeDefinitions": types}
        ask("CreateTable", table | {"BillingMode": "PAY_PER_REQUEST"})


def fill(ask: Ask, records: list[dict[str, Any]]) -> None:
    """Put records into the tables that they belong to."""
    from tests.registrations.transfer.tables import typed

    for record in records:
        item = {name: typed(value) for name, value in record.items() if value is not None}
        ask("PutItem", {"TableName": PREFIX + _table_of(record), "Item": item})


def _table_of(record: dict[str, Any]) -> str:
    if "item" in record:
        return "events"
    return "registrations" if "standing" in record else "users"


def scan(ask: Ask, folder: Path) -> list[Path]:
    """Scan each table into a file, as `aws dynamodb scan` does."""
    files = []
    for name in KEYS:
        path = folder / f"{name}.json"
        with path.open("w") as file:
            for page in pages(ask, PREFIX + name):
                json.dump({"Items": page}, file)
        files.append(path)
    return files


def pages(ask: Ask, table: str) -> Iterator[list[dict[str, Any]]]:
    start: dict[str, Any] = {}
    while True:
        answer = ask("Scan", {"TableName": table, "ConsistentRead": True} | start)
        yield answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def season(events: int, people: int) -> Iterator[dict[str, Any]]:
    """What the first release held of some events, each with the same people: half have seats, half wait."""
    from tests.registrations.transfer.tables import FIRST_RELEASE

    event, seats = FIRST_RELEASE[:2]
    at = "2026-10-03T08:00:00.{:06}Z"
    for number in range(events):
        name = f"event-{number:06}"
        yield event | {"eventId": name}
        counts = {"capacity": people // 2, "registered": people // 2, "waiting": people - people // 2}
        yield seats | {"eventId": name} | counts
        for one in range(people):
            standing = "registered#" if one < people // 2 else "waitlisted#"
            row = {"eventId": name, "userId": f"user-{one:06}", "standing": standing + at.format(one)}
            yield row | {"registrationId": f"{number:08}-0000-4000-8000-{one:012}", "registeredAt": at.format(one)}
    for one in range(people):
        yield {"userId": f"user-{one:06}", "name": f"User {one}", "createdAt": at.format(0)}


def measure(events: int, people: int) -> tuple[float, float, str]:
    """Move them. Returns: virtual seconds, seconds on this machine, and what the import printed."""
    from django.core.management import call_command
    from tqdm import tqdm

    from eventsite.dynamodb.base_model import table_models
    from tests.bench.physical_engine import PhysicalEngine
    from tests.bench.virtual_time import VirtualTime
    from tests.torn import ministack

    clock, printed = VirtualTime(), StringIO()
    engine = PhysicalEngine(ministack(), clock)
    with engine.connected(), tempfile.TemporaryDirectory() as folder:
        make_tables(engine)
        fill(engine, list(season(events, people)))
        for model in table_models():
            model.create_table(wait=False)
        files = scan(engine, Path(folder))
        began = time.perf_counter()
        engine.is_running = True
        with clock, redirect_stdout(printed), patch.object(tqdm, "monitor_interval", 0):  # its thread knows no clock
            clock.run([lambda: call_command("import", *map(str, files))])
        return clock.now, time.perf_counter() - began, printed.getvalue()


def main() -> None:
    """Print how long it takes."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.moving")
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--people", type=int, default=200, help="of each event")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    django.setup()
    calls, computing, printed = measure(options.events, options.people)
    print(printed, end="")
    print(
        f"{options.events * options.people} registrations: {calls:.1f} s of DynamoDB's, {computing:.1f} s of computing"
    )


if __name__ == "__main__":
    main()
