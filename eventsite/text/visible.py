"""Recognise texts that are invisible or misleading."""

import re

# White space, control and format characters, and what Unicode calls default ignorable (DerivedCoreProperties.txt),
# besides the letters, the note head and the braille pattern that look blank.
UNSEEN = (
    r"\s\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
"""The invisible characters of the first plane, as a class for regular expressions of Python and ECMA."""
_UNSEEN_BEYOND = "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
OVERRIDES = r"\u202d\u202e"
"""LRO and RLO, which show a text in another order than it has (Unicode Standard Annex 9, section 2.2)."""

SEEN = re.compile(rf"[^{UNSEEN}{_UNSEEN_BEYOND}]")
_OVERRIDE = re.compile(rf"[{OVERRIDES}]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def is_blank(text: str) -> bool:
    """Return True if a text has no visible character."""
    return not SEEN.search(text)


def overrides_direction(text: str) -> bool:
    """Return True if a text overrides the direction of its characters, so that it looks like another text."""
    return bool(_OVERRIDE.search(text))


def is_name(text: str) -> bool:
    """Return True if a text from another system can be the name of a person."""
    return not (is_blank(text) or overrides_direction(text) or _CONTROL.search(text))
