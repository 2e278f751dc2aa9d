"""What every answer to a hostile request must be."""

import json
from typing import Any

from tests.hostile.requests import Sent

SECURITY = {
    "Content-Security-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Correlation-Id",
    "X-Frame-Options",
}
MEMBERS = {"type", "title", "status", "detail", "code", "instance"}
SAID_AGAIN, SHOWN_AGAIN = 100, 2000
"""How many characters of what was sent a message may repeat; and a form, which shows a field as it was filled in."""


def judge(sent: Sent, status: int, headers: dict[str, str], text: str) -> None:
    """Fail where an answer breaks a promise."""
    page = headers.get("Content-Type", "").startswith("text/html")
    assert status < 500 or (status == 503 and "Retry-After" in headers), text
    assert headers.keys() >= SECURITY
    if status >= 400 and sent.method != "HEAD" and not page:
        assert headers["Content-Type"] == "application/problem+json"
        document = json.loads(text)
        assert document.keys() >= MEMBERS and document["status"] == status
        text = json.dumps(document | {"instance": ""})
    if status >= 400:
        _says_little_again(sent, text, SHOWN_AGAIN if page else SAID_AGAIN)


def _says_little_again(sent: Sent, text: str, most: int) -> None:
    for piece in sent.long:
        if most == SHOWN_AGAIN and piece in sent.path:
            continue  # a page shows its address
        for start in range(0, max(0, len(piece) - most), most):
            assert piece[start : start + most + 1] not in text


def logged_once(log: list[str], sent: Sent) -> None:
    """Fail if a request did not log exactly one line, or if the line holds its input."""
    own = [line for line in log if '"message":"request"' in line.replace(" ", "") or '"message": "request"' in line]
    others = [line for line in log if line not in own and '"_aws"' not in line]
    assert (len(own), others) == (1, [])
    for piece in sent.long:
        assert len(piece) < 20 or piece[:20] not in own[0]


def fingerprint(tables: Any) -> list[Any]:
    """All items of all tables, as one value to compare."""
    return sorted(json.dumps(item, sort_keys=True) for table in tables for item in table())
