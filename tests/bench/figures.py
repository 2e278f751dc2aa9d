"""What the benchmark measured, as tables and as charts."""

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "figures.md"
CHARTS = PAGE.with_suffix("")
COLORS = {"eventsite": "#1f6feb", "rival": "#8b949e"}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 420, 240, 50, 40, 40

Figures = list[dict[str, Any]]


def table(told: Figures, before: Figures | None = None) -> str:
    """A line for each call and size: ours, the other's, their ratio, and what became of ours since `before`."""
    earlier = {_key(one): one["cpu_ms"] for one in before or [] if _is_of_ours(one)}
    others = {_key(one): one for one in told if one["service"] == "rival"}
    heading = ["call", "of", "calls", "units", "CPU ms", "p99", "bytes", "rival's calls", "units", "CPU ms", "ratio"]
    rows = [[*heading, *(["before"] if earlier else [])]]
    for one in filter(_is_of_ours, told):
        other = others.get(_key(one))
        row = [one["case"], _of(one), one["calls"], one["units"], one["cpu_ms"], one["cpu_ms_p99"], one["bytes"]]
        row += [other["calls"], other["units"], other["cpu_ms"], _ratio(one, other)] if other else [""] * 4
        row += [earlier.get(_key(one), "")] if earlier else []
        rows.append(row)
    crowds = [one for one in told if "per_second" in one]
    held = [one for one in told if "held" in one]
    return "\n".join(
        [
            *_markdown(rows),
            *(["", *_markdown(_crowd_rows(crowds))] if crowds else []),
            *(["", *_markdown(_memory_rows(held))] if held else []),
        ]
    )


def _is_of_ours(one: dict[str, Any]) -> bool:
    """Whether it is what a call of ours costs."""
    return one["service"] == "eventsite" and "calls" in one


def _memory_rows(held: Figures) -> list[list[Any]]:
    heading = ["memory of a process, MB", "after a tenth", "after a half", "in the end"]
    return [heading, *([one["case"], *(round(one["held"][tenth - 1], 1) for tenth in (1, 5, 10))] for one in held)]


def _crowd_rows(crowds: Figures) -> list[list[Any]]:
    names = ("case", "service", "per_second", "registered", "refused", "cpu_ms")
    heading = ["4 processes, 32 threads each", "", "a second", "registered", "refused", "CPU ms each"]
    return [heading, *([one[name] for name in names] for one in crowds)]


def _key(one: dict[str, Any]) -> tuple[Any, ...]:
    return one["case"], one.get("size")


def _of(one: dict[str, Any]) -> str:
    return f"{one['size']:,} {one['grows_with']}" if one["size"] else ""


def _ratio(one: dict[str, Any], other: dict[str, Any]) -> str:
    return f"{one['cpu_ms'] / other['cpu_ms']:.2f}"


def _markdown(rows: list[list[Any]]) -> Iterable[str]:
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    for number, row in enumerate(texts):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"


def write(told: Figures, machine: str) -> None:
    """Write the page and its charts: one for each call whose cost might grow."""
    CHARTS.mkdir(exist_ok=True)
    names = list(dict.fromkeys(one["case"] for one in told if one.get("grows_with")))
    pictures = []
    for name in names:
        lines = {
            service: [(one["size"], one["cpu_ms"]) for one in told if (one["case"], one["service"]) == (name, service)]
            for service in COLORS
        }
        if max(map(len, lines.values())) > 1:
            file = CHARTS / f"{re.sub('[^a-z0-9]+', '-', name.lower().replace(chr(39), ''))}.svg"
            file.write_text(chart(name, next(one["grows_with"] for one in told if one["case"] == name), lines))
            pictures.append(f"![CPU of: {name}](figures/{file.name})")
    PAGE.write_text(TEXT.format(machine=machine, table=table(told), pictures="\n".join(pictures)))


TEXT = """# What calls cost

Written by `python -m tests.bench --figures` ({machine}). Every call goes through the Lambda's handler in a process of
its own; the figures are CPU time of that process, DynamoDB's calls and capacity units, and the bytes of the answer.
"rival" is `tests/bench/rival.py`: the least that FastAPI and boto3 can be for the same calls, measured in the same run.
Compare the two of a row: the engine takes longer the more it holds, and who waits longer for it, both do, computes a
little slower afterwards.

{table}

{pictures}
"""


def chart(title: str, unit: str, lines: dict[str, list[tuple[int, float]]]) -> str:
    """A chart in SVG: the size on a logarithmic axis, the cost on a linear one that begins at nothing."""
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
