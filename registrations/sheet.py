"""An event's registrations as a sheet: one line for each, with the person, and a column for each question."""

import re
from collections.abc import Iterable
from typing import Any

from eventsite.web import sheets
from registrations.models import Registration
from registrations.reading import lists
from registrations.reading.lists import Attendee
from registrations.serializers import SOURCES, shape

PERSON = ("name", "email")  # the columns after the id of the user
ANSWERS = "answers"  # the field that has a column for each question instead


_NAMES = [name for name in SOURCES if name != ANSWERS]
_PLACE = _NAMES.index("userId") + 1
COLUMNS = (*_NAMES[:_PLACE], *PERSON, *_NAMES[_PLACE:])


def normalized(header: str) -> str:
    """Return a header without case, spaces and punctuation, so that E-Mail equals email."""
    return re.sub(r"[\W_]+", "", header).casefold()


def headers(questions: Iterable[dict[str, Any]]) -> list[str]:
    """Return the header of each question's column: its label, with a number if another column has that name.

    So an answer is never taken for a value of the registration or of the person.
    """
    taken = set(map(normalized, (*COLUMNS, ANSWERS)))
    found = []
    for question in questions:
        header, number = question["label"], 1
        while normalized(header) in taken:
            number += 1
            header = f"{question['label']} ({number})"
        taken.add(normalized(header))
        found.append(header)
    return found


class Sheet:
    """The registrations for one event, with a column for each of its questions."""

    def __init__(self, questions: list[dict[str, Any]], separator: str) -> None:
        self._separator = separator
        self._asked = [question["questionId"] for question in questions]
        self.header = sheets.lines([[*COLUMNS, *headers(questions)]], separator)

    def lines(self, registrations: Iterable[Registration]) -> bytes:
        """Return the lines of these registrations. Their users are read in batches of a hundred."""
        return sheets.lines(map(self._cells, lists.named(registrations)), self._separator)

    def _cells(self, attendee: Attendee) -> list[object]:
        shown = shape(attendee.registration) | {name: getattr(attendee.user, name, None) for name in PERSON}
        answers = [_text(shown[ANSWERS].get(asked)) for asked in self._asked]
        return [*(shown[column] for column in COLUMNS), *answers]


def _text(answer: Any) -> Any:
    return {True: "yes", False: "no"}[answer] if isinstance(answer, bool) else answer
