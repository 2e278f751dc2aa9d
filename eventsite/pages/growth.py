"""How the sign-ups of an event grew: the figures, and the line that a chart draws through them."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from eventsite.pages import humanize

WIDTH, HEIGHT = 320, 100
UNITS = ((timedelta(hours=36), timedelta(hours=1)), (timedelta(days=45), timedelta(days=1)))
"""Up to which span which step; beyond, weeks."""
EPOCH = datetime(1970, 1, 5)  # a Monday


@dataclass
class Step:
    """One stretch of time."""

    label: str
    new: int
    total: int


@dataclass
class Growth:
    """The figures of a chart."""

    steps: list[Step]
    line: str
    """The points of the line, from the beginning to the end, in a box of `WIDTH` by `HEIGHT`."""
    total: int
    first: str
    last: str


def of(moments: list[str]) -> Growth | None:
    """How it grew. Takes: when each sign-up was. Returns: None where there is nothing to draw."""
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
        steps.append(Step(_label(EPOCH + place * unit, unit), counts[place], total))
    first, last = (humanize.moment(moment.isoformat()) for moment in (times[0], times[-1]))
    return Growth(steps, _line(counts, total), total, first, last)


def _label(start: datetime, unit: timedelta) -> str:
    if unit < timedelta(days=1):
        return humanize.moment(start.isoformat())
    return ("week of " if unit > timedelta(days=1) else "") + humanize.day(start.date().isoformat())


def _line(counts: "Counter[int]", whole: int) -> str:
    """Steps upwards: flat until the next sign-ups, then up by as many."""
    start, width = min(counts), max(counts) - min(counts) + 1
    points, total = [(0.0, float(HEIGHT))], 0
    for place in sorted(counts):
        along = (place - start) / width * WIDTH
        points.append((along, points[-1][1]))
        total += counts[place]
        points.append((along + WIDTH / width, HEIGHT - total / whole * HEIGHT))
    return " ".join(f"{along:.1f},{up:.1f}" for along, up in points)
