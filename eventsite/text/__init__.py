"""Text from requests in our own messages, and the rules for text: visible, printable, an address."""

from typing import Any

MAX_CHARACTERS = 100


def encodable(text: str) -> str:
    """Return the text with a question mark for each lone surrogate, which UTF-8 has no bytes for."""
    return text.encode(errors="replace").decode()


def truncate(value: Any) -> str:
    """Return the beginning of a value that a client sent, for a message about it."""
    text = value if isinstance(value, str) else str(value)
    return encodable(text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…")
