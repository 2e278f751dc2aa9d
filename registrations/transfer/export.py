"""Export all users, events and registrations, with ids and times, for `manage.py import`.

Each event is read separately. So an export beside live traffic is consistent for each event, but not across events.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from events.serializers import shape
from events.whole import find_event
from eventsite.auth.scope import EVERYTHING
from eventsite.management.operating import all_pages
from eventsite.web import sheets
from registrations.audit import snapshot
from registrations.models import ACTIVE, CANCELLED
from registrations.reading import lists
from registrations.serializers import shape as shape_registration
from registrations.transfer.columns import COLUMNS, EVENT, REGISTRATION, USER, cell
from registrations.transfer.sheets import Record
from users.models import User
from users.serializers import UserSerializer


def everything() -> Iterator[Record]:
    """Return all users, then each event with its registrations: with a seat, in the queue, and cancelled."""
    for user in User.scan():
        yield {"kind": USER} | UserSerializer(user).data
    for event_id in snapshot.event_ids():
        if found := find_event(event_id):  # None if it has just been deleted
            yield {"kind": EVENT} | shape(found, own=EVERYTHING)
            for status in (ACTIVE, CANCELLED):
                for row in all_pages(lists.of_event, event_id, scope=EVERYTHING, status=status):
                    yield {"kind": REGISTRATION} | shape_registration(row)


def write_lines(records: Iterable[Record], write: Callable[[str], object]) -> int:
    """Write records as JSON lines, and return their number."""
    count = 0
    for count, record in enumerate(records, 1):  # noqa: B007 (its last value is the answer)
        write(json.dumps(record, ensure_ascii=False) + "\n")
    return count


def write_sheets(records: Iterable[Record], file_of: Callable[[str], IO[str]]) -> int:
    """Write records as sheets, one for each kind, and return their number."""
    writers: dict[str, Any] = {}
    for kind, columns in COLUMNS.items():
        writers[kind] = csv.writer(file_of(kind))
        writers[kind].writerow(columns)
    count = 0
    for count, record in enumerate(records, 1):  # noqa: B007 (its last value is the answer)
        kind = record["kind"]
        writers[kind].writerow([sheets.marked(cell(kind, name, record.get(name))) for name in COLUMNS[kind]])
    return count
