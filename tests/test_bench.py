"""The benchmark measures the same calls of both services, and its pages hold the figures."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.bench import figures
from tests.bench.cases import ALWAYS, OF_EVENTS, OF_REGISTRATIONS, OF_WAITING


def figure(service: str, size: int, milliseconds: float) -> dict[str, Any]:
    return {
        "case": "read an event",
        "service": service,
        "grows_with": "events",
        "size": size,
        "calls": 1.0,
        "units": 1.0,
        "cpu_ms": milliseconds,
        "cpu_ms_p99": 9.0,
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


def test_the_last_release_has_the_calls_of_this_one() -> None:
    known = {one["case"] for one in figures.last_release()}
    assert {case.name for case in [*ALWAYS, *OF_EVENTS]} <= known
    assert figures.DRAWN.keys() <= known
    assert len(figures.DRAWN) == 6


def test_memory_is_reported_at_the_beginning_and_at_the_end() -> None:
    last = figures.table([*TOLD, HELD]).splitlines()[-1]
    assert [cell.strip() for cell in last.split("|")[1:-1]] == ["20,000 mixed requests", "90.0", "94.0", "99.0"]


def test_charts_are_pictures_with_a_line_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "PAGE", tmp_path / "figures.md")
    monkeypatch.setattr(figures, "CHARTS", tmp_path / "figures")
    figures.write(TOLD, "some machine")
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
    told = bench.measure(quick=True)
    cases = {service: [one["case"] for one in told if one["service"] == service] for service in ("eventsite", "rival")}
    ours_alone = [name for name in cases["eventsite"] if name not in cases["rival"]]
    assert [name for name in cases["eventsite"] if name not in ours_alone] == cases["rival"]
    assert len(ours_alone) == 7 - 1
    assert len(cases["eventsite"]) == len(ALWAYS) + len(OF_EVENTS) + OF_REGISTRATIONS + OF_WAITING
    assert json.dumps(told)
