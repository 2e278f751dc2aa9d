"""When an event begins and ends: together with its time zone, or not at all."""

from typing import Any

import pytest

from tests.api import EVENT, Api, problem

TIMES = {"startTime": "19:00", "endTime": "22:00", "timeZone": "Europe/Berlin"}
NO_TIMES = dict.fromkeys(TIMES)


def lacking(answer: Any) -> set[str]:
    assert problem(answer) == (422, "validation_error")
    return {error["field"] for error in answer.json()["errors"]}


def times_of(api: Api, event: str) -> dict[str, Any]:
    found = api.get(f"/events/{event}").json()
    return {name: found[name] for name in TIMES}


def test_an_event_without_times_takes_the_whole_day(api: Api) -> None:
    assert times_of(api, api.event()) == NO_TIMES


@pytest.mark.parametrize("times", [TIMES, TIMES | {"endTime": None}, TIMES | {"endTime": "01:30"}])
def test_an_event_keeps_its_times(api: Api, times: dict[str, Any]) -> None:
    assert times_of(api, api.event(**times)) == times


@pytest.mark.parametrize(
    ("times", "fields"),
    [
        ({"startTime": "19:00"}, {"timeZone"}),
        ({"timeZone": "Europe/Berlin"}, {"startTime"}),
        ({"endTime": "22:00"}, {"endTime"}),
        ({"startTime": "19:00", "endTime": "22:00"}, {"timeZone", "endTime"}),
        ({"endTime": "22:00", "timeZone": "Europe/Berlin", "startTime": None}, {"startTime", "endTime"}),
    ],
)
def test_half_a_time_is_refused(api: Api, times: dict[str, Any], fields: set[str]) -> None:
    assert lacking(api.post("/events", EVENT | times)) == fields
    assert lacking(api.post("/events", EVENT | times | {"title": " "})) == fields | {"title"}
    event = api.event()
    assert lacking(api.patch(f"/events/{event}", times)) == fields
    assert times_of(api, event) == NO_TIMES


@pytest.mark.parametrize("time", ["24:00", "7:00", "19:60", "19:00:00", "１９:00", "19:00\n", "", "now", 19, True, {}])
@pytest.mark.parametrize("name", ["startTime", "endTime"])
def test_a_malformed_time_of_day_is_refused(api: Api, name: str, time: Any) -> None:
    assert lacking(api.post("/events", EVENT | TIMES | {name: time})) == {name}


@pytest.mark.parametrize(
    "zone",
    ["Europe", "europe/berlin", "Mars/Olympus", "+01:00", "", "../UTC", "/etc/passwd", "Factory", "UTC\0", 1, []],
)
def test_an_unknown_time_zone_is_refused(api: Api, zone: Any) -> None:
    assert lacking(api.post("/events", EVENT | TIMES | {"timeZone": zone})) == {"timeZone"}


def test_an_edit_is_judged_with_what_the_event_has(api: Api) -> None:
    event = api.event(startTime="19:00", timeZone="Europe/Berlin")
    assert api.patch(f"/events/{event}", {"endTime": "22:00"}).status_code == 200
    assert api.patch(f"/events/{event}", {"startTime": "18:00"}).status_code == 200
    assert times_of(api, event) == TIMES | {"startTime": "18:00"}


def test_null_removes_times_if_the_rest_is_complete(api: Api) -> None:
    event = api.event(**TIMES)
    assert lacking(api.patch(f"/events/{event}", {"startTime": None})) == {"startTime", "endTime"}
    assert api.patch(f"/events/{event}", {"endTime": None}).json()["endTime"] is None
    assert lacking(api.patch(f"/events/{event}", {"timeZone": None})) == {"timeZone"}
    assert api.put(f"/events/{event}", NO_TIMES).status_code == 200
    assert times_of(api, event) == NO_TIMES
