"""Compare texts as people do who search: without case, accents and punctuation."""

import unicodedata

SAME = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})
WITHIN_A_WORD = str.maketrans(dict.fromkeys("'`\u00b4\u2019\u02bc"))  # apostrophes


def fold(text: str) -> str:
    """Return a text without case, accents and punctuation, its words separated by single spaces."""
    plain = unicodedata.normalize("NFKD", text.translate(WITHIN_A_WORD).casefold()).translate(SAME)
    letters = (letter for letter in plain if not unicodedata.combining(letter))
    spaced = "".join(letter if unicodedata.category(letter)[0] in "LNM" else " " for letter in letters)
    return " ".join(spaced.split() or text.casefold().split() or "?")


class Search:
    """A search for a text, which is folded once for all the texts that may contain it."""

    def __init__(self, sought: str) -> None:
        self._plain, self._folded = sought.casefold(), fold(sought)

    def finds(self, *texts: str) -> bool:
        """Return True if a text contains the sought one, as it is written or as it is folded."""
        return any(self._plain in text.casefold() or self._folded in fold(text) for text in texts)

    def is_exactly(self, *texts: str) -> bool:
        """Return True if a text is the sought one, when both are folded."""
        return any(self._folded == fold(text) for text in texts)
