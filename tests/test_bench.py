"""The benchmark measures the same calls of both services, and its pages hold the figures."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.api import Api
from tests.bench import cases, figures


def figure(service: str, size: int, milliseconds: float) -> dict[str, Any]:
    return {
        "case": "read an event",
        "service": service,
        "grows_with": "events",
        "size": size,
        "calls": 1.0,
        "units": 1.0,
        "cpu_ms": milliseconds,
        "cpu_ms_most": 9.0,
        "bytes": 500,
    }


TOLD = [
    figure("eventsite", 100, 1.0),
    figure("rival", 100, 2.0),
    figure("eventsite", 1000, 1.5),
    figure("rival", 1000, 2.0),
]
HELD = {"case": "20,000 mixed requests", "service": "eventsite", "held": [float(n) for n in range(90, 100)]}


def test_the_table_sets_the_two_side_by_side() -> None:
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in figures.table(TOLD).splitlines()]
    ours = [line for line in lines if line[0] == "read an event"]
    assert [(line[1], line[4], line[-2], line[-1]) for line in ours] == [
        ("100 events", "1.0", "2.0", "0.50"),
        ("1,000 events", "1.5", "2.0", "0.75"),
    ]


def test_an_earlier_run_stands_beside() -> None:
    before = json.loads(figures.compact([figure("eventsite", 1000, 3.0), figure("rival", 1000, 2.0), HELD]))
    rows = figures.table(TOLD, before).splitlines()
    assert [row.split("|")[-2].strip() for row in rows[2:]] == ["new", "1.50"]


def test_every_call_of_the_api_is_measured(api: Api) -> None:
    documented = {
        f"{method.upper()} {path}" for path, item in api.get("/schema").json()["paths"].items() for method in item
    }
    assert documented - {_call(case.make(0), documented) for case in cases.every()} == set()


def _call(request: dict[str, Any], calls: set[str]) -> str:
    """Return the call of the API that a request is for."""
    sent = f"{request.get('method', 'GET')} {request['path']}"
    found = [call for call in calls if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(call)), sent)]
    return found[0] if found else sent


def test_the_calls_of_the_last_release_and_those_with_a_chart_are_measured() -> None:
    measured = {case.name for case in cases.every()}
    assert {one["case"] for one in figures.last_release()} <= measured
    assert figures.DRAWN.keys() <= measured
    assert len(figures.DRAWN) == 6


def test_the_published_page_has_a_row_for_every_call() -> None:
    assert {case.name for case in cases.every()} <= figures.published().keys()


def test_memory_is_reported_at_the_beginning_and_at_the_end() -> None:
    last = figures.table([*TOLD, HELD]).splitlines()[-1]
    assert [cell.strip() for cell in last.split("|")[1:-1]] == ["20,000 mixed requests", "90.0", "94.0", "99.0"]


def test_charts_are_pictures_with_a_line_for_each(tmp_path: Path) -> None:
    figures.write(tmp_path / "figures.md", TOLD, command="some command", machine="some machine")
    [picture] = (tmp_path / "figures").iterdir()
    assert f"(figures/{picture.name})" in (tmp_path / "figures.md").read_text()
    drawn = ElementTree.fromstring(picture.read_text())
    lines = [line.get("points", "").split() for line in drawn.iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(points) for points in lines] == [2, 2]
    heights = [float(points[0].split(",")[1]) for points in lines]
    assert heights[0] > heights[1]  # what costs less is drawn lower: y grows downwards


@pytest.mark.slow
def test_both_services_execute_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.bench import __main__ as bench

    monkeypatch.setattr(bench, "QUICK", {"events": (100,), "registrations": (10,), "waiting": (10,)})
    measured, ended_after = bench.measure(quick=True)
    named = {name: [one["case"] for one in measured if one["service"] == name] for name in ("eventsite", "rival")}
    ours_alone = [name for name in named["eventsite"] if name not in named["rival"]]
    assert [name for name in named["eventsite"] if name not in ours_alone] == named["rival"]
    assert ours_alone == [case.name for case in cases.every() if not case.rival]
    assert named["eventsite"] == [case.name for case in cases.every()]
    assert ended_after == ""
    assert json.dumps(measured)
