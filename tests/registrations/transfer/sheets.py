"""Sheets that cannot be read, and the place that is to be named."""

import pytest

BROKEN = pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1, column 1"),
        ("a,b\r\n", "line 1, column 1"),
        ("userId,name\r\nalice\r\n", "line 2, column 2"),
        ("userId,name\r\nalice,Alice,x\r\n", "line 2, column 3"),
        ('userId,name\r\nalice,"Al"ice\r\n', "line 2, column 1"),
        ("eventId,title,capacity\r\nparty,Party,many\r\n", "line 2, column capacity"),
    ],
)
