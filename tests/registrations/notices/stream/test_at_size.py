"""What thousands of people at once come to."""

from collections import Counter

import pytest
from pytest_django.fixtures import Settings

from registrations.notices import history, outlets
from registrations.notices.queue import Task
from tests.api import Api
from tests.metering import Meter
from tests.registrations.notices import streaming as stream
from tests.registrations.notices.carrying import Carried
from tests.registrations.notices.cloud import Cloud, stage
from tests.registrations.scenes import lay

pytestmark = pytest.mark.slow
PEOPLE = 10_000


def test_an_event_with_ten_thousand_people_is_cut_into_pages_that_hold_each_once(
    api: Api, carried: Carried, meter: Meter
) -> None:
    people = [f"guest{number:05}" for number in range(PEOPLE)]
    lay("party", capacity=PEOPLE // 2, seated=people[: PEOPLE // 2], waiting=people[PEOPLE // 2 :])
    api.patch("/events/party", {"status": "cancelled"})
    outlets.publish(stream.reported()[-1:])
    meter.reset()
    rounds: list[int] = []
    pages: list[Task] = []
    while carried.bodies:
        rounds.append(len(carried.bodies))
        carried.once()
        pages += [task for task in carried.tasks if task.people]
        carried.bodies = [(task.body, 1) for task in carried.tasks if not task.people]
    assert Counter(user for page in pages for user in page.people) == Counter(people)
    assert rounds == [1], "one task cuts all of it"
    assert max(len(page.people) for page in pages) == 20
    assert len(meter.calls) < 100


@pytest.fixture
def cloud(engine: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return stage(engine, settings, monkeypatch)


def test_ten_thousand_who_move_up_at_once_are_all_queued(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "record", lambda notices: None)  # which takes a minute on the embedded engine
    reported = [
        {
            "id": f"party.i1.{ticket}.promoted",
            "source": "/events/party",
            "time": "2083-03-01T00:00:00Z",
            "type": "registration.promoted",
            "subject": f"guest{ticket:05}",
            "sequence": f"1.{ticket:06}",
            "data": {"eventId": "party", "userId": f"guest{ticket:05}", "ticket": ticket, "status": "registered"},
        }
        for ticket in range(PEOPLE)
    ]
    outlets.publish(reported)
    assert cloud.waiting() == PEOPLE
