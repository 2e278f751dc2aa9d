"""How much it takes to tell of one write that lets ten thousand people move up."""

import time
from collections.abc import Sequence

import pytest

from registrations.notices.occasions import Notice
from registrations.notices.stream import handler as stream
from tests.api import Api
from tests.metering import Meter
from tests.registrations.notices.streaming import everything
from tests.registrations.scenes import queue_up

PEOPLE = 10_000
MOST_CALLS, MOST_SECONDS = 60, 15.0
"""Seconds of CPU: half of the Lambda's time, on a slower processor than its own. The rest is for the outlets."""


@pytest.mark.slow
def test_ten_thousand_promotions_in_one_write_take_a_few_calls(api: Api, meter: Meter) -> None:
    event = api.event(capacity=0)
    queue_up(event, [f"waiting-{number:06}" for number in range(PEOPLE)])
    api.leave(event, "waiting-000005")
    assert api.patch(f"/events/{event}", {"capacity": PEOPLE}).json()["registeredCount"] == PEOPLE - 1
    reported: list[str] = []

    def take(notices: Sequence[Notice]) -> None:
        reported.extend(str(notice.get("subject")) for notice in notices if notice["type"] == "registration.promoted")

    records = everything()
    meter.reset()
    began = time.process_time()
    assert stream.publish_records(records, take) is None
    seconds = time.process_time() - began
    assert reported == [f"waiting-{number:06}" for number in range(PEOPLE) if number != 5]
    assert len(meter.calls) <= MOST_CALLS and seconds < MOST_SECONDS, (meter.calls, meter.units, seconds)
    print(f"{len(meter.calls)} calls, {meter.units:g} units, {seconds:.2f} s")  # noqa: T201 (run with -s)
