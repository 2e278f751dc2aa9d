"""The benchmark's figures, as tables and as charts."""

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "figures.md"
LAST_RELEASE = Path(__file__).with_name("last_release.json")
COLORS = {"eventsite": "#1f6feb", "rival": "#8b949e"}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 420, 240, 50, 40, 40
DRAWN = {
    "read an event": "Reading costs the same however many events there are.",
    "create an event": "So does creating one.",
    "50 events of all statuses": "A list of all statuses merges one query per status.",
    "register": "Registering costs the same however many are registered.",
    "50 registrations of an event": "A page of an event's people costs what the page costs.",
    "one's place in the queue": "A place in the queue is counted, not searched.",
}
"""The charts that a reader needs: calls whose cost might grow, and the sentence that each of them proves."""

Figures = list[dict[str, Any]]


def table(figures: Figures, before: Figures | None = None) -> str:
    """Return a line for each call and size: both costs, their ratio, and the ratio in an earlier run."""
    earlier = {_key(one): one for one in before or []}
    others = {_key(one): one for one in figures if one["service"] == "rival"}
    heading = ["call", "of", "calls", "units", "CPU ms", "most", "bytes", "rival's calls", "units", "CPU ms", "ratio"]
    rows = [[*heading, *(["before"] if earlier else [])]]
    for one in filter(_is_of_ours, figures):
        other = others.get(_key(one))
        row = [one["case"], _of(one), one["calls"], one["units"], one["cpu_ms"], one["cpu_ms_most"], one["bytes"]]
        row += [other["calls"], other["units"], other["cpu_ms"], _ratio(one, other)] if other else [""] * 4
        row += [_ratio_before(earlier.get(_key(one)))] if earlier else []
        rows.append(row)
    tables = [rows, *(rows_of(figures) for rows_of in (_start_rows, _memory_rows, _crowd_rows))]
    return "\n\n".join("\n".join(_markdown(rows)) for rows in tables if len(rows) > 1)


def last_release() -> Figures:
    """Return the figures of the last release, which `table` compares with."""
    figures: Figures = json.loads(LAST_RELEASE.read_text())
    return figures


def published(page: Path = PAGE) -> dict[str, dict[str, float]]:
    """Return our calls, units and CPU ms of each call, at the smallest size, as docs/figures.md shows them."""
    rows = re.findall(r"(?m)^\| (.+?) +\|[^|]*\| ([\d.]+) +\| ([\d.]+) +\| ([\d.]+) +\| [\d.]+ +\|", page.read_text())
    found: dict[str, dict[str, float]] = {}
    for name, *values in rows:
        found.setdefault(name, dict(zip(("calls", "units", "CPU ms"), map(float, values), strict=True)))
    return found


def compact(figures: Figures) -> str:
    """Return figures in the form of `last_release.json`: a line for each call of ours, with the rival's cost."""
    others = {_key(one): one["cpu_ms"] for one in figures if one["service"] == "rival" and "calls" in one}
    lines = [
        json.dumps(
            {
                "case": one["case"],
                "size": one["size"],
                "cpu_ms": one["cpu_ms"],
                "rival_cpu_ms": others.get(_key(one)),
            }
        )
        for one in filter(_is_of_ours, figures)
    ]
    return "[\n " + ",\n ".join(lines) + "\n]\n"


def _is_of_ours(one: dict[str, Any]) -> bool:
    """Return True for the cost of one of our calls."""
    return one["service"] == "eventsite" and "calls" in one


def _start_rows(figures: Figures) -> list[list[Any]]:
    starts = [one for one in figures if "first_read_s" in one]
    heading = ["cold start", "handler loaded, CPU s", "first read answered, CPU s", "package, MB", "ratio"]
    rows = [[one["service"], one["init_s"], one["first_read_s"], one["package_mb"]] for one in starts]
    return [heading, *([*row, f"{row[2] / rows[-1][2]:.2f}" if row is rows[0] else ""] for row in rows)]


def _memory_rows(figures: Figures) -> list[list[Any]]:
    rows: list[list[Any]] = [["memory of a process, MB", "after a tenth", "after a half", "in the end"]]
    for one in figures:
        if held := one.get("held"):
            rows.append([one["case"], *(held[max(0, len(held) * tenths // 10 - 1)] for tenths in (1, 5, 10))])
    return rows


def _crowd_rows(figures: Figures) -> list[list[Any]]:
    crowds = [one for one in figures if "per_second" in one]
    names = ("case", "service", "per_second", "registered", "refused", "cpu_ms")
    heading = ["4 processes, 32 threads each", "", "a second", "registered", "refused", "CPU ms each"]
    return [heading, *([one[name] for name in names] for one in crowds)]


def _key(one: dict[str, Any]) -> tuple[Any, ...]:
    return one["case"], one.get("size")


def _of(one: dict[str, Any]) -> str:
    return f"{one['size']:,} {one['grows_with']}" if one["size"] else ""


def _ratio(one: dict[str, Any], other: dict[str, Any]) -> str:
    return f"{one['cpu_ms'] / other['cpu_ms']:.2f}"


def _ratio_before(one: dict[str, Any] | None) -> str:
    """Return the ratio of an earlier run, or our milliseconds where the rival has no such call."""
    if one is None:
        return "new"
    rival = one.get("rival_cpu_ms")
    return f"{one['cpu_ms'] / rival:.2f}" if rival else f"{one['cpu_ms']} ms"


def _markdown(rows: list[list[Any]]) -> Iterable[str]:
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    for number, row in enumerate(texts):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"


def write(page: Path, figures: Figures, *, command: str, machine: str, ended_after: str = "") -> None:
    """Write the page, and its charts into the folder of its name.

    Args:
        page: The file.
        figures: What was measured.
        command: The command that measured it.
        machine: The machine and the circumstances.
        ended_after: The step at which the time was up, if it was.
    """
    charts = page.with_suffix("")
    charts.mkdir(exist_ok=True)
    pictures = []
    for name, sentence in DRAWN.items():
        lines = {
            service: [
                (one["size"], one["cpu_ms"]) for one in figures if (one["case"], one["service"]) == (name, service)
            ]
            for service in COLORS
        }
        if max(map(len, lines.values())) > 1:
            file = charts / f"{re.sub('[^a-z0-9]+', '-', name.lower().replace(chr(39), ''))}.svg"
            file.write_text(chart(name, next(one["grows_with"] for one in figures if one["case"] == name), lines))
            pictures.append(f"{sentence}\n\n![CPU of: {name}]({charts.name}/{file.name})")
    shown = table(figures, last_release())
    short = f" The time was up after “{ended_after}”: the largest sizes are incomplete." if ended_after else ""
    page.write_text(
        TEXT.format(command=command, machine=machine, short=short, table=shown, pictures="\n\n".join(pictures))
    )


TEXT = """# What calls cost

Written by `{command}` ({machine}).{short} Every call goes through the Lambda's handler in a process of its own. The
figures are the CPU time of that process, DynamoDB's calls and capacity units, and the bytes of the answer. "rival" is
`tests/bench/rival.py`: the least that FastAPI and boto3 can be for the same calls. The two take turns every few
requests. Compare the two of a row, not two runs: on a busy machine, and beside an engine that holds more, both compute
more slowly. "before" is the ratio in the last release, or its milliseconds where the rival has no such call.

{table}

## How many register in a second

Three figures answer this question, and the first two are not AWS's:

- "register, all for one event" in the table above, from a full run. The limit is the embedded engine: one Python
  process that answers one call after the other. It serves two calls for each of our registrations, some six under
  contention, and one for each of the rival's.
- `python -m tests.bench.contention`, in [guarantees.md](guarantees.md). The limit is DynamoDB as AWS documents it: an
  item takes one write after the other. The engine takes no time there, so this figure is higher.
- `python -m tests.bench.stage URL` measures a deployed stage. There the stage's throttle, the way to the region and
  cold starts count too.

The rival's transactions all touch the event's item. DynamoDB would refuse most of them with `TransactionConflict`. The
embedded engine does not emulate that, and the rival would not send them again.

## Charts

{pictures}
"""


def chart(title: str, unit: str, lines: dict[str, list[tuple[int, float]]]) -> str:
    """Draw a chart in SVG. The axis of sizes is logarithmic, that of costs linear from zero."""
    sizes = sorted({size for points in lines.values() for size, _ in points})
    top = 1.2 * max(cost for points in lines.values() for _, cost in points)

    def place(size: int, cost: float) -> tuple[float, float]:
        span = math.log(sizes[-1] / sizes[0]) or 1
        across = (WIDTH - LEFT - 90) * math.log(size / sizes[0]) / span
        return round(LEFT + across, 1), round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * cost / top, 1)

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"',
        f' font-size="11"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="10" y="18" font-size="13">{title}, CPU ms</text>',
        *(_level(level * top / 4, place(sizes[0], level * top / 4)[1]) for level in range(5)),
        *(_mark(size, place(size, 0)[0], unit if size == sizes[-1] else "") for size in sizes),
    ]
    for name, points in lines.items():
        if points:
            drawn += _line(name, [place(size, cost) for size, cost in points])
    return "\n".join([*drawn, "</svg>"]) + "\n"


def _level(cost: float, y: float) -> str:
    rule = f'<path d="M{LEFT} {y}H{WIDTH - 90}" stroke="#ddd"/>'
    return f'{rule}<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{cost:.1f}</text>'


def _mark(size: int, x: float, unit: str) -> str:
    return f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:,} {unit}</text>'


def _line(name: str, places: list[tuple[float, float]]) -> list[str]:
    color, path = COLORS[name], " ".join(f"{x},{y}" for x, y in places)
    x, y = places[-1]
    return [
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>',
        *(f'<circle cx="{x}" cy="{y}" r="3" fill="{color}"/>' for x, y in places),
        f'<text x="{x + 8}" y="{y + 4}" fill="{color}">{name}</text>',
    ]
