"""Whatever happens to an event, and however its stream is delivered: each who moves up is mailed, and nobody twice."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.conf import settings as configured
from hypothesis import example, given, settings

from registrations.notices import queue
from registrations.notices.occasions import Notice
from tests.registrations.notices.carrying import Carried
from tests.registrations.notices.histories import HISTORIES, Story
from tests.registrations.notices.receiver import Receiver

WITH_EDITS_OR_NOT = HISTORIES | HISTORIES.map(lambda steps: [step for step in steps if step[0] != "edit"])


class Mailing(Receiver):
    """A receiver that mails people too."""

    def __init__(self, carried: Carried) -> None:
        super().__init__()
        self.mails: list[tuple[str, str, str]] = []
        self._carried = carried

    def __call__(self, notices: Sequence[Notice]) -> None:
        super().__call__(notices)
        reported = self._carried.publish(notices)
        self.mails += [(str(mail["Message-ID"]), str(mail["To"]), str(mail["Subject"])) for mail in reported]


def check(steps: list[tuple[str, Any]]) -> None:
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patched:
        carried = Carried(Path(directory) / "mail")
        patched.setattr(configured, "LOCAL_DYNAMODB_DIR", Path(directory))
        patched.setattr(queue, "local", carried)
        story = Story()
        mailing = story.receiver = Mailing(carried)
        for user in story.people:
            story.api.patch(f"/users/{user}", {"email": f"{user}@example.com"})
        story.play(steps)
    ids = [one for one, _, _ in mailing.mails]
    assert len(ids) == len(set(ids))
    seats = [to for _, to, subject in mailing.mails if subject.startswith("You have a seat")]
    moved = [data["userId"] for name, data in mailing.seen.items() if name.endswith(".promoted")]
    for user in story.people:
        assert sum(f"<{user}@" in to for to in seats) <= moved.count(user)
    if any(what == "edit" for what, _ in steps):
        return  # the event may have been closed when the notice came
    erased = {story.named(name) for what, name in steps if what == "erase"}
    for event, tickets in mailing.people.items():
        for ticket, (user, _) in tickets.items():
            if f"{event}.{ticket}.promoted" in mailing.seen and user not in erased:
                assert any(f"<{user}@" in to for to in seats)


@example([("join", "ada"), ("join", "bela"), ("leave", "ada"), ("deliver", 4), ("deliver", 4), ("deliver", 4)])
@settings(max_examples=3)
@given(WITH_EDITS_OR_NOT)
def test_nobody_is_mailed_twice_in_any_history(steps: list[tuple[str, Any]]) -> None:
    check(steps)


@pytest.mark.slow
@settings(max_examples=100)
@given(WITH_EDITS_OR_NOT)
def test_nobody_is_mailed_twice_in_many_histories(steps: list[tuple[str, Any]]) -> None:
    check(steps)
