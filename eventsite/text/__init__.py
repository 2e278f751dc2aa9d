"""What is said again of what was sent: no more than a line of it, and nothing that cannot be encoded."""

from typing import Any

MAX_CHARACTERS = 100


def encodable(text: str) -> str:
    """The text with a question mark for each lone surrogate, which UTF-8 has no bytes for."""
    return text.encode(errors="replace").decode()


def truncate(value: Any) -> str:
    """The beginning of a value that was sent, for a message about it."""
    text = value if isinstance(value, str) else str(value)
    return encodable(text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…")
