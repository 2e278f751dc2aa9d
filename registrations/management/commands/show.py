"""``manage.py show EVENT|USER``: an event with its people, or a user with their events, as a table."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from django.core.management.base import CommandError, CommandParser

from events.whole import WholeEvent, find_event
from eventsite.auth.scope import EVERYTHING
from eventsite.management.operating import OperatorCommand, all_pages
from eventsite.text.humanize import number
from eventsite.text.printable import printable
from registrations.models import ACTIVE, CANCELLED, Registration
from registrations.reading import attendances, lists
from registrations.reading.lists import Attendee
from users.models import User

Line = Sequence[Any]


class Command(OperatorCommand):
    help = "Shows an event with its people, or a user with their registrations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "ids", nargs="+", metavar="EVENT|USER", help="an id; both are shown if an event and a user share it"
        )

    def handle(self, *args: Any, ids: list[str], **options: Any) -> None:
        unknown = [each for each in ids if not self._shown(each)]
        if unknown:
            raise CommandError(f"There is no event and no user with the id {', '.join(unknown)}.")

    def _shown(self, thing_id: str) -> bool:
        event, user = find_event(thing_id), User.find(thing_id)
        if event:
            self._show(_facts_of_event(event), _people_of(thing_id))
        if user:
            self._show(_facts_of_user(user), _events_of(thing_id))
        return bool(event or user)

    def _show(self, facts: list[Line], lines: Iterator[Line]) -> None:
        head, *rows = lines
        table = aligned([head, *rows]) if rows else ["No registrations yet."]
        for line in (*aligned(facts), "", *table, ""):
            self.stdout.write(line)


def aligned(lines: list[Line]) -> list[str]:
    """Return lines of cells as lines of text, in columns as wide as their widest cell."""
    texts = [["" if cell is None else printable(str(cell)) for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in texts]


def _facts_of_event(found: WholeEvent) -> list[Line]:
    event, seats = found
    end = " ".join(filter(None, (event.end_date, event.end_time)))
    when = " ".join(filter(None, (event.date, event.start_time, end and f"to {end}", event.time_zone)))
    waitlist = f", {number(seats.waiting)} waiting" if seats.waitlist_enabled or seats.waiting else ", no waitlist"
    return [
        ("event", event.event_id),
        ("title", event.title),
        ("when", when),
        ("where", event.location),
        ("status", event.status),
        ("seats", f"{number(seats.registered)} of {number(seats.capacity)} taken{waitlist}"),
        ("organizer", f"{event.organizer}{f' ({event.organizer_id})' if event.organizer_id else ''}"),
        ("version", f"{event.version}, of {event.updated_at}"),
    ]


def _facts_of_user(user: User) -> list[Line]:
    return [("user", user.user_id), ("name", user.name), ("e-mail", user.email), ("since", user.created_at)]


def _people_of(event_id: str) -> Iterator[Line]:
    yield ("number", "user", "name", "status", "since", "place")
    numbers = count(1)
    for status in (ACTIVE, CANCELLED):
        for row, user in all_pages(_named, event_id, scope=EVERYTHING, status=status):
            name = user.name if user else "(gone)"
            yield (next(numbers), row.user_id, name, row.status, _since(row), row.position)


def _named(event_id: str, **wanted: Any) -> tuple[list[Attendee], int | None]:
    rows, after = lists.of_event(event_id, **wanted)
    return lists.named(rows), after


def _events_of(user_id: str) -> Iterator[Line]:
    yield ("event", "title", "date", "status", "since", "place")
    for status in (ACTIVE, CANCELLED):
        for row, whole in all_pages(attendances.of_user, user_id, scope=EVERYTHING, status=status):
            yield (row.event_id, whole.event.title, whole.event.date, row.status, _since(row), row.position)


def _since(row: Registration) -> str:
    return str(row.cancelled_at or row.promoted_at or row.registered_at)[:19].replace("T", " ")
