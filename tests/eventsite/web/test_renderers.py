"""The JSON that the service writes is what Django REST Framework would write."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rest_framework import renderers

from eventsite.web.renderers import JSONRenderer

SIMPLE = st.none() | st.booleans() | st.integers() | st.text(st.characters())
TEXTS = st.text(st.characters())
VALUES: st.SearchStrategy[Any] = st.recursive(
    SIMPLE, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@given(value=VALUES)
@example(value={"title": "an end of line\u2028and another\u2029"})
@example(value=[2**53, -(2**63), 2**64])
@example(value="half a pair: \ud800")
@example(value={"at": datetime(2083, 1, 1, 9, 30, tzinfo=UTC), "tags": ("a", "b")})
def test_an_answer_has_the_bytes_that_the_frameworks_renderer_writes(value: Any) -> None:
    try:
        expected = renderers.JSONRenderer().render(value)
    except UnicodeEncodeError:  # half a pair of surrogates is no UTF-8
        with pytest.raises(UnicodeEncodeError):
            JSONRenderer().render(value)
    else:
        assert JSONRenderer().render(value) == expected


def test_an_indent_may_be_asked_for() -> None:
    written = JSONRenderer().render({"title": "Party"}, "application/json; indent=2")
    assert written == b'{\n  "title": "Party"\n}'
