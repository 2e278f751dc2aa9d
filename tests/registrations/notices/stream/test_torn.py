"""With the isolation that DynamoDB documents, too: an edit's items, and a registration's, become visible one by one."""

import pytest
from hypothesis import given, settings

from tests.api import Api
from tests.registrations.notices.histories import HISTORIES
from tests.registrations.notices.stream import test_histories
from tests.torn import Torn

pytestmark = pytest.mark.torn


@settings(max_examples=2)
@given(HISTORIES)
def test_the_notices_explain_how_things_are(torn_engine: Torn, steps: list[tuple[str, object]]) -> None:
    test_histories.check(steps)


def test_they_do_beside_a_crowd(api: Api, torn_engine: Torn) -> None:
    test_histories.test_they_do_beside_a_crowd(api)
    assert torn_engine.counts["torn"]
