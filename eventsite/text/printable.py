r"""Text from users, in the output that operators read: terminals and logs.

A terminal executes escape sequences, and a line break in a title looks like a line of ours. Both are shown as JSON
writes them (``\u001b``, ``\n``), so nothing is lost, nothing is executed, and JSON stays JSON.
"""

import json
import logging
import unicodedata
from functools import partial

from django.utils.log import ServerFormatter

JOINERS = "\u200c\u200d"
"""Format characters that names and emoji need, and that change nothing but the look of their neighbours."""


def printable(text: str, encoding: str = "utf-8") -> str:
    """Return a text in one line, with a visible escape for each character that a terminal may execute or lacks."""
    shown = text if text.isprintable() else "".join(map(_shown, text))
    try:
        shown.encode(encoding)
    except UnicodeEncodeError:
        return "".join(map(partial(_encodable, encoding), shown))
    return shown


def _encodable(encoding: str, character: str) -> str:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(character)[1:-1]
    return character


def _shown(character: str) -> str:
    if character.isprintable() or character in JOINERS or unicodedata.category(character) == "Zs":
        return character
    return json.dumps(character)[1:-1]


class PrintableFormatter(logging.Formatter):
    """A log line that stays one line. Only tracebacks have more."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        return printable(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 (logging's name)
        lines = super().formatException(ei).split("\n")  # type: ignore[arg-type]
        return "\n".join(map(printable, lines))


class PrintableServerFormatter(ServerFormatter):
    """Django's lines about requests, whose colours are escape sequences: what they quote is escaped before."""

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.args, tuple):
            record.args = tuple(printable(one) if isinstance(one, str) else one for one in record.args)
        return super().format(record)
