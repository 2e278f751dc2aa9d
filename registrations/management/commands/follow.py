"""``manage.py follow [EVENT]``: what happens to events and seats, live, from the stream of the events table."""

import json
import time
from typing import Any

from django.core.management.base import CommandParser

from eventsite.management.operating import OperatorCommand
from registrations.notices import words
from registrations.notices.stream import changes
from registrations.notices.stream.changes import StreamRecord, knowing
from registrations.notices.stream.following import LATEST, OLDEST, Following

LOOK_SECONDS = 0.5


class Command(OperatorCommand):
    """Prints notices until Ctrl-C. The exit status is 1 if there is no stream or no answer."""

    help = "Prints what happens to events and seats, as it happens. Ctrl-C ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("event", nargs="?", metavar="EVENT", help="an id; without one, every event there is")
        parser.add_argument("--json", action="store_true", help="print CloudEvents, one a line")
        parser.add_argument("--all", action="store_true", help="begin with what the stream still holds, of a day")

    def handle(self, *args: Any, event: str | None, **options: Any) -> None:
        following = Following(since=OLDEST if options["all"] else LATEST)
        self.stderr.write("Following. Ctrl-C ends it.")
        try:
            while True:
                self._print(following.new_records(), event, as_json=options["json"])
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            return

    def _print(self, records: list[StreamRecord], event: str | None, *, as_json: bool) -> None:
        wanted = [record for record in records if event in (None, record["dynamodb"]["Keys"]["eventId"]["S"])]
        holders = knowing(wanted)
        for record in wanted:
            for notice in changes.notices(record, holders):
                self.stdout.write(json.dumps(notice, ensure_ascii=False) if as_json else words.line(notice))
        self.stdout.flush()
