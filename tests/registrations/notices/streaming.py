"""The stream of the events table, as tests read it: the records of real requests, and their notices."""

from collections.abc import Iterable
from typing import Any

from registrations.notices.occasions import Notice
from registrations.notices.stream import changes
from registrations.notices.stream.changes import StreamRecord
from registrations.notices.stream.following import OLDEST, Following
from registrations.notices.stream.holders import Holders


def everything() -> list[StreamRecord]:
    """All that happened since the tables were made."""
    return Following(since=OLDEST).new_records()


def reported(records: Iterable[StreamRecord] | None = None) -> list[Notice]:
    """Return the notices of these records, or of all."""
    holders = Holders()
    return [
        one for record in (everything() if records is None else records) for one in changes.notices(record, holders)
    ]


def in_words(notices: Iterable[Notice]) -> list[str]:
    """Return the type and the subject of each notice."""
    return [f"{one['type']} {one.get('subject') or one['source']}" for one in notices]


def data(notice: Notice) -> dict[str, Any]:
    """What it carries."""
    carried: dict[str, Any] = notice["data"]
    return carried
