"""Whatever happens to an event, and however its stream is delivered, the notices explain exactly how things are."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings

from registrations.notices.stream import handler as stream
from registrations.notices.stream.following import Following
from tests.api import EVENT, Api
from tests.registrations.notices.histories import HISTORIES, Story
from tests.registrations.notices.receiver import Receiver


def check(steps: list[tuple[str, Any]]) -> None:
    """The examples share tables: each has an event and people of its own, and reads the stream from its beginning."""
    story = Story()
    story.play(steps)
    story.receiver.must_agree_with(story.api, story.event)


@settings(max_examples=4)
@given(HISTORIES)
def test_the_notices_of_any_history_explain_how_things_are(steps: list[tuple[str, Any]]) -> None:
    check(steps)


@pytest.mark.slow
@settings(max_examples=200)
@given(HISTORIES)
def test_the_notices_of_many_histories_explain_how_things_are(steps: list[tuple[str, Any]]) -> None:
    check(steps)


def test_they_do_beside_a_crowd(api: Api) -> None:
    """The stream is followed while people come and go, and the queue moves up by edits."""
    event = str(api.post("/events", EVENT | {"capacity": 2}).json()["eventId"])
    crowd = [api.users(6) for _ in range(4)]
    following, receiver, over = Following(since="TRIM_HORIZON"), Receiver(), Event()

    def follow() -> None:
        while not over.is_set():
            assert stream.publish_records(following.new_records(), receiver) is None

    def come_and_go(users: list[str]) -> None:
        mine = Api()
        for number, user in enumerate(users):
            mine.register(event, user)
            mine.leave(event, users[number // 2])
            mine.patch(f"/events/{event}", {"capacity": 2 + number % 3})

    with ThreadPoolExecutor(5) as pool:
        reading = pool.submit(follow)
        for done in [pool.submit(come_and_go, users) for users in crowd]:
            done.result()
        over.set()
        reading.result()
    assert stream.publish_records(following.new_records(), receiver) is None
    receiver.must_agree_with(api, event)
