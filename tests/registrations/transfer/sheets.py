"""Sheets that cannot be read, and the place that is to be named."""

import pytest

BROKEN = pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1, column A"),
        ("a,b\r\n", "line 1, column A"),
        ("userId,name\r\nalice\r\n", r"line 2, column B \(name\)"),
        ("userId,name\r\nalice,Alice,x\r\n", "line 2, column C"),
        ('userId,name\r\nalice,"Al"ice\r\n', "line 2, column A"),
        ("eventId,title,capacity\r\nparty,Party,many\r\n", r"line 2, column C \(capacity\)"),
    ],
)
