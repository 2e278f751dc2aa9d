"""Which texts say something: what nobody sees is blank, and what reads as another text is refused."""

import re
import sys
import unicodedata
from typing import Any

import pytest

from eventsite.text.visible import is_blank, is_name
from eventsite.web.fields import BLANK_PATTERN, TEXT_PATTERN
from tests.api import EVENT, Api

SEEN_FORMAT_CHARACTERS = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
"""Signs that Unicode counts among the formats, and fonts show."""


def test_no_character_without_a_look_is_seen() -> None:
    unseen = [
        character
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(character := chr(code)) in ("Cc", "Cf", "Zs", "Zl", "Zp")
        and code not in SEEN_FORMAT_CHARACTERS
    ]
    assert [hex(ord(character)) for character in unseen if not is_blank(character)] == []
    first_plane = [character for character in unseen if ord(character) < 0x10000]
    assert [hex(ord(one)) for one in first_plane if re.search(TEXT_PATTERN, one)] == [], "as the document says it"


@pytest.mark.parametrize(
    "text", ["\u202eevil", "a\u202db", "\u202e", "\u2066\u2069", "\x01\x02", "\u200b\u3164", "\x9f"]
)
@pytest.mark.parametrize("field", ["title", "location", "organizer"])
def test_such_texts_are_refused(api: Api, field: str, text: str) -> None:
    answer = api.post("/events", EVENT | {field: text})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert api.post("/users", {"name": text}).status_code == 422
    assert not is_name(text)
    assert not re.search(TEXT_PATTERN, text)


@pytest.mark.parametrize("text", ["\u202eevil", "a\u202db", "\u202e"])
def test_a_description_may_be_blank_but_not_turned_around(api: Api, text: str) -> None:
    assert api.post("/events", EVENT | {"description": text}).status_code == 422
    assert not re.search(BLANK_PATTERN, text)
    assert re.search(BLANK_PATTERN, "\u200b")


@pytest.mark.parametrize("text", ["\u2067שלום\u2069", "👩‍👩‍👧", "می\u200cخواهم", "a\u202bb\u202c", "\u0301", "e\u0301"])
def test_what_languages_need_is_taken(api: Api, text: str) -> None:
    answer: Any = api.post("/events", EVENT | {"title": text})
    assert answer.json()["title"] == text
    assert is_name(text)
