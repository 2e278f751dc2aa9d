"""Compute how the sign-ups of an event grew: the figures, and the line and axes of a chart."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from eventsite.pages import humanize

LEFT, TOP, WIDTH, HEIGHT = 40, 12, 352, 116  # of the box inside the axes, in the units of the template's chart
TICKS = 4  # lines across, at most
UNITS = ((timedelta(hours=36), timedelta(hours=1)), (timedelta(days=45), timedelta(days=1)))
"""Up to which span which step; beyond, weeks."""
EPOCH = datetime(1970, 1, 5)  # a Monday


def of(moments: list[str]) -> dict[str, Any] | None:
    """Return how sign-ups grew, from the moment of each, or None where there is nothing to draw.

    Returns:
        The `steps` of time with their `new` and all sign-ups, the points of the `line`, and the `ticks` of its axis.
    """
    if not moments:
        return None
    times = sorted(datetime.fromisoformat(moment).replace(tzinfo=None) for moment in moments)
    span = times[-1] - times[0]
    unit = next((step for most, step in UNITS if span <= most), timedelta(weeks=1))
    counts = Counter((moment - EPOCH) // unit for moment in times)
    if len(counts) < 2:
        return None
    steps, total = [], 0
    for place in sorted(counts):
        total += counts[place]
        steps.append({"label": _label(EPOCH + place * unit, unit), "new": counts[place], "total": total})
    first, last = (humanize.moment(moment.isoformat()) for moment in (times[0], times[-1]))
    most = _most(total)
    line, ticks = _line(counts, most), _ticks(most)
    return {"steps": steps, "line": line, "ticks": ticks, "first": first, "last": last}


def _step(total: int) -> int:
    """Return the round number of which `TICKS` reach the total."""
    sizes = (10**power * factor for power in range(12) for factor in (1, 2, 5))
    return int(next(size for size in sizes if size * TICKS >= total))


def _most(total: int) -> int:
    """Return the upper end of the axis: a round number, not below the total."""
    return -(-total // _step(total)) * _step(total)


def _ticks(most: int) -> list[dict[str, Any]]:
    values = range(0, most + 1, _step(most))
    return [{"label": humanize.number(value), "y": round(_up(value, most), 1)} for value in values]


def _up(value: float, most: int) -> float:
    return TOP + HEIGHT - value / most * HEIGHT


def _label(start: datetime, unit: timedelta) -> str:
    if unit < timedelta(days=1):
        return humanize.moment(start.isoformat())
    return ("week of " if unit > timedelta(days=1) else "") + humanize.day(start.date().isoformat())


def _line(counts: "Counter[int]", most: int) -> str:
    """Return steps upwards: flat until the next sign-ups, then up by their number."""
    start, width = min(counts), max(counts) - min(counts) + 1
    points, total = [(float(LEFT), _up(0, most))], 0
    for place in sorted(counts):
        along = LEFT + (place - start) / width * WIDTH
        points.append((along, points[-1][1]))
        total += counts[place]
        points.append((along + WIDTH / width, _up(total, most)))
    return " ".join(f"{along:.1f},{up:.1f}" for along, up in points)
