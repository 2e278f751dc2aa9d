"""Compute how the sign-ups of an event grew: the figures, and the line and axes of a chart."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import accumulate
from typing import Any

from eventsite.text import humanize

LEFT, TOP, WIDTH, HEIGHT = 40, 12, 352, 116  # of the box inside the axes, in the units of the template's chart
TICKS = 4  # lines across, at most
ROUND = [10**power * factor for power in range(12) for factor in (1, 2, 5)]
"""The distances that these lines may have."""
UNITS = ((timedelta(hours=36), timedelta(hours=1)), (timedelta(days=45), timedelta(days=1)))
"""Up to which span which step; beyond, weeks."""
EPOCH = datetime(1970, 1, 5)  # a Monday


def of(moments: list[str], place: tzinfo | None = None) -> dict[str, Any] | None:
    """Return how sign-ups grew by the clocks of a place, or None where there is nothing to draw.

    It has the `steps` of time with their `new` and all sign-ups, the points of the `line`, and the `ticks` of its axis.
    """
    times = sorted(datetime.fromisoformat(moment).astimezone(place or UTC).replace(tzinfo=None) for moment in moments)
    span = times[-1] - times[0] if times else timedelta()
    unit = next((step for most, step in UNITS if span <= most), timedelta(weeks=1))
    counts = Counter((moment - EPOCH) // unit for moment in times)
    if len(counts) < 2:
        return None
    places = sorted(counts)
    totals = list(accumulate(counts[place] for place in places))
    tick = next(size for size in ROUND if size * TICKS >= totals[-1])
    most = math.ceil(totals[-1] / tick) * tick
    return {
        "steps": [
            {
                "label": _label(EPOCH + place * unit, unit),
                "new": humanize.number(counts[place]),
                "total": humanize.number(total),
            }
            for place, total in zip(places, totals, strict=True)
        ],
        "line": _line(places, [_up(total, most) for total in totals]),
        "ticks": [{"label": humanize.number(at), "y": round(_up(at, most), 1)} for at in range(0, most + 1, tick)],
        "first": humanize.moment(times[0].isoformat()),
        "last": humanize.moment(times[-1].isoformat()),
    }


def _up(value: int, most: int) -> float:
    """Return the height of a value on an axis that ends at `most`."""
    return TOP + HEIGHT - value / most * HEIGHT


def _label(start: datetime, unit: timedelta) -> str:
    if unit < timedelta(days=1):
        return humanize.moment(start.isoformat())
    return ("week of " if unit > timedelta(days=1) else "") + humanize.day(start.date().isoformat())


def _line(places: list[int], heights: list[float]) -> str:
    """Return steps upwards: flat until the next sign-ups, then up by their number."""
    width = WIDTH / (places[-1] - places[0] + 1)
    points = [(float(LEFT), float(TOP + HEIGHT))]
    for place, height in zip(places, heights, strict=True):
        along = LEFT + (place - places[0]) * width
        points += [(along, points[-1][1]), (along + width, height)]
    return " ".join(f"{along:.1f},{up:.1f}" for along, up in points)
