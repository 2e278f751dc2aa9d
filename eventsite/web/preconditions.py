"""If-Match: an edit of the version one has read, and of no other (RFC 9110, section 13.1.1)."""

import re

_ETAG = re.compile(r'(W/)?"([^"]*)"')


def etag(version: int) -> str:
    """The entity tag of a version: the number in quotes."""
    return f'"{version}"'


def versions(if_match: str | None) -> set[int] | None:
    """The versions that an If-Match header allows; None when any will do.

    Weak tags never match, as the RFC demands, and neither does what is no tag of ours.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    strong = [tag for weak, tag in _ETAG.findall(if_match) if not weak]
    return {int(tag) for tag in strong if re.fullmatch(r"[0-9]{1,18}", tag)}
