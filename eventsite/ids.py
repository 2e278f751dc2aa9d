"""The form of event and user ids."""

import re

PATTERN = r"[A-Za-z0-9_-]{1,128}"
_ID = re.compile(PATTERN)


def is_id(text: str) -> bool:
    """Return True if a text has the form of an id. Other texts are not looked up."""
    return _ID.fullmatch(text) is not None
