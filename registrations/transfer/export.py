"""Everything there is as records, with ids and times, in the form that `manage.py import` reads.

Each event is read by itself: beside live traffic an export is right for each, but shows them at different moments.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from events.serializers import SOURCES, shape
from events.whole import find_event
from eventsite.auth.scope import EVERYTHING
from eventsite.web import sheets
from registrations.audit import snapshot
from registrations.models import ACTIVE, CANCELLED
from registrations.reading import lists
from registrations.serializers import RegistrationSerializer
from registrations.serializers import shape as shape_registration
from registrations.transfer.adapters import EVENT, REGISTRATION, USER
from registrations.transfer.files import Record
from users.models import User
from users.serializers import UserSerializer

PAGE = 1000
COLUMNS = {
    USER: tuple(UserSerializer._declared_fields),
    EVENT: tuple(SOURCES),
    REGISTRATION: tuple(RegistrationSerializer._declared_fields),
}
"""The fields of each kind of record, as the API names them."""


def everything() -> Iterator[Record]:
    """All users, then each event with its registrations: who has a seat, who waits, and who left."""
    for user in User.scan():
        yield {"kind": USER} | UserSerializer(user).data
    for event_id in snapshot.event_ids():
        if found := find_event(event_id):  # else it has just been deleted
            yield {"kind": EVENT} | shape(found)
            for status in (ACTIVE, CANCELLED):
                yield from _registrations(event_id, status)


def _registrations(event_id: str, status: str) -> Iterator[Record]:
    after = None
    while True:
        rows, after = lists.of_event(event_id, scope=EVERYTHING, status=status, limit=PAGE, after=after)
        for row in rows:
            yield {"kind": REGISTRATION} | shape_registration(row)
        if after is None:
            return


def write_lines(records: Iterable[Record], write: Callable[[str], object]) -> int:
    """Write records as JSON, one per line. Takes: what writes a line. Returns: how many."""
    count = 0
    for count, record in enumerate(records, 1):  # noqa: B007 (what is left of it is the answer)
        write(json.dumps(record, ensure_ascii=False) + "\n")
    return count


def write_sheets(records: Iterable[Record], file_of: Callable[[str], IO[str]]) -> int:
    """Write records as sheets, one for each kind. Takes: what gives the file of a kind. Returns: how many."""
    writers: dict[str, Any] = {}
    for kind, columns in COLUMNS.items():
        writers[kind] = csv.writer(file_of(kind))
        writers[kind].writerow(columns)
    count = 0
    for count, record in enumerate(records, 1):  # noqa: B007 (what is left of it is the answer)
        kind = record["kind"]
        writers[kind].writerow([sheets.harmless(_cell(record[name])) for name in COLUMNS[kind]])
    return count


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool) else value
