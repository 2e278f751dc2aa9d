"""The times of an event, and the window for sign-up (CONTRACT, "The window")."""

import datetime as dt
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple, Self

DAY = 24 * 60 * 60  # seconds
LAST_OFFSET = -12 * 60 * 60  # seconds; UTC-12, where each day ends last
OF_THE_WINDOW = ("registration_opens_at", "registration_closes_at")
EPOCH = dt.date(1970, 1, 1).toordinal()

NEEDS_BOTH = "A time needs both startTime and timeZone."
NEEDS_START = "An end needs a startTime and a timeZone."
LAST_DAY_FIRST = "The last day cannot be before the first one."
ENDS_FIRST = "It cannot end before it starts. If it ends on the next day, set endDate to that day or leave it out."
CLOSES_FIRST = "Registration has to close after it opens."
SKIPPED = "Clocks go forward and skip this time: there is no {time} on {day} in {zone}."


class Times(NamedTuple):
    """The days, the hours and the zone of an event, as text."""

    date: str
    end_date: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    time_zone: str | None = None

    @classmethod
    def of(cls, event: Any) -> Self:
        return cls(*(getattr(event, name) for name in cls._fields))

    @property
    def last_day(self) -> dt.date:
        """The day on which it ends. Without `end_date`, an end before the start is on the next day."""
        day = dt.date.fromisoformat(self.end_date or self.date)
        overnight = not self.end_date and self.start_time and self.end_time and self.end_time < self.start_time
        return day + timedelta(days=1) if overnight and day < dt.date.max else day

    @property
    def ends_at(self) -> int:
        """The end in seconds since 1970. No user gets a seat after it."""
        day = self.last_day
        if not (self.start_time and self.time_zone):
            return (day.toordinal() + 1 - EPOCH) * DAY - LAST_OFFSET
        if self.end_time:
            return _seconds(day, time.fromisoformat(self.end_time), self.time_zone)
        if day == dt.date.max:
            return _seconds(day, time(23, 59), self.time_zone) + 60
        return _seconds(day + timedelta(days=1), time(), self.time_zone)

    def wrong(self) -> dict[str, str]:
        """Return a sentence for each field that is wrong, by its name in JSON."""
        wrong = lacking(self.start_time, self.end_time, self.time_zone)
        if self.end_date and self.end_date < self.date:
            return wrong | {"endDate": LAST_DAY_FIRST}
        if wrong or not (self.start_time and self.time_zone):
            return wrong
        hours = {"startTime": (dt.date.fromisoformat(self.date), self.start_time)}
        hours |= {"endTime": (self.last_day, self.end_time)} if self.end_time else {}
        for name, (day, hour) in hours.items():
            if sentence := skipped(day, time.fromisoformat(hour), self.time_zone):
                wrong[name] = sentence
        if self.end_time and self.end_date == self.date and self.end_time < self.start_time:
            wrong["endTime"] = ENDS_FIRST
        return wrong


def lacking(start: Any, end: Any, zone: Any) -> dict[str, str]:
    """Return a sentence for each field that the times of an event lack, by its name in JSON."""
    if start and zone:
        return {}
    wrong = {"startTime": NEEDS_BOTH} if zone and not start else {"timeZone": NEEDS_BOTH} if start else {}
    return wrong | ({"endTime": NEEDS_START} if end else {})


def wrong_times(values: dict[str, Any]) -> dict[str, str]:
    """Return a sentence for each field with a wrong time, by its name in JSON.

    Each of the values is valid by itself. Moments are UTC, as `MomentField` writes them.
    """
    wrong = Times(**{name: values[name] for name in Times._fields if values.get(name)}).wrong()
    opens_at, closes_at = (values.get(name) for name in OF_THE_WINDOW)
    return wrong | ({"registrationClosesAt": CLOSES_FIRST} if opens_at and closes_at and closes_at <= opens_at else {})


def of_seats(event: Any) -> dict[str, int | None]:
    """Return the window and the end for the seats of an event, in seconds since 1970."""
    return {
        "opens_at": _instant(event.registration_opens_at),
        "closes_at": _instant(event.registration_closes_at),
        "ends_at": Times.of(event).ends_at,
    }


def _instant(moment: str | None) -> int | None:
    return int(datetime.fromisoformat(moment).timestamp()) if moment else None


def _seconds(day: dt.date, hour: time, zone: str) -> int:
    """Return when the clocks of a zone first show a time, in seconds since 1970."""
    shown = (day.toordinal() - EPOCH) * DAY + hour.hour * 3600 + hour.minute * 60
    return shown - int(_offset(day, hour, zone).total_seconds())


def skipped(day: dt.date, hour: time, zone: str) -> str:
    """Return a sentence on a time in a gap of its zone (PEP 495), else an empty string."""
    is_skipped = _offset(day, hour.replace(fold=1), zone) > _offset(day, hour, zone)
    return SKIPPED.format(time=f"{hour:%H:%M}", day=day, zone=zone) if is_skipped else ""


def _offset(day: dt.date, hour: time, zone: str) -> timedelta:
    from zoneinfo import ZoneInfo  # imported for the first event with a time zone

    return datetime.combine(day, hour, ZoneInfo(zone)).utcoffset() or timedelta()
