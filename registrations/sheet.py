"""An event's registrations as a sheet: one line for each, with the person, and a column for each question."""

from collections.abc import Iterable
from typing import Any

from eventsite.web import sheets
from registrations.models import Registration
from registrations.reading import lists
from registrations.reading.lists import Attendee
from registrations.serializers import SOURCES, shape

PERSON = ("name", "email")  # the columns after the id of the user
ANSWERS = "answers"  # the field that has a column for each question instead


def _columns() -> tuple[str, ...]:
    names = [name for name in SOURCES if name != ANSWERS]
    place = names.index("userId") + 1
    return (*names[:place], *PERSON, *names[place:])


COLUMNS = _columns()


class Sheet:
    """The registrations for one event. Each of its questions is a column with its label."""

    def __init__(self, questions: list[dict[str, Any]], separator: str) -> None:
        self._separator = separator
        self._asked = [question["questionId"] for question in questions]
        header = [*COLUMNS, *(question["label"] for question in questions)]
        self.header = sheets.lines([header], separator)

    def lines(self, registrations: Iterable[Registration]) -> bytes:
        """Return the lines of these registrations. Their users are read in batches of a hundred."""
        return sheets.lines(map(self._cells, lists.named(registrations)), self._separator)

    def _cells(self, attendee: Attendee) -> list[object]:
        shown = shape(attendee.registration) | {name: getattr(attendee.user, name, None) for name in PERSON}
        answers = [_text(shown[ANSWERS].get(asked)) for asked in self._asked]
        return [*(shown[column] for column in COLUMNS), *answers]


def _text(answer: Any) -> Any:
    return {True: "yes", False: "no"}[answer] if isinstance(answer, bool) else answer
