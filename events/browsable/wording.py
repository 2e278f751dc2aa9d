"""The wording of events on pages: their times, the free seats, and the state of sign-up."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from events.models import DRAFT, OPEN_STATUSES
from events.window import Times
from eventsite import clock
from eventsite.pages import page as pages
from eventsite.text import humanize

MAP = "https://www.openstreetmap.org/search?"
CANCELLED, COMPLETED = "cancelled", "completed"
STATUS_WORDS = {DRAFT: "Draft", CANCELLED: "Cancelled", COMPLETED: "Completed"}
"""The labels of statuses. A status without a label means that people can sign up."""
OPEN, WAITLIST, FULL, NOT_OPEN, CLOSED, OVER = "open", "waitlist", "full", "not-open", "closed", "over"
"""The states of sign-up. The style sheet has a class for each."""
ROOM = STATUS_WORDS | {WAITLIST: "Full, join the waitlist", FULL: "Full", CLOSED: "Sign-up is closed", OVER: "Over"}
"""The free seats in a list, by the status or the state of sign-up."""
SENTENCES = {
    DRAFT: "Only its organizers and admins see this draft.",
    CANCELLED: "This event is cancelled.",
    COMPLETED: "This event is over.",
    CLOSED: "Sign-up is closed.",
    OVER: "This event is over.",
}
"""The free seats on the page of the event, likewise."""


def now() -> datetime:
    return datetime.fromisoformat(clock.now()).astimezone(UTC)


def today() -> str:
    return clock.now()[:10]


def yesterday() -> str:
    return str(date.fromisoformat(today()) - timedelta(days=1))


def times(event: dict[str, Any]) -> Times:
    """Return the times of an event, given as JSON."""
    names = ("date", "endDate", "startTime", "endTime", "timeZone")
    return Times(*(event.get(name) for name in names))  # type: ignore[arg-type] # a date is always there


def has_ended(event: dict[str, Any]) -> bool:
    """Return True if the event is over, in its own time zone."""
    return times(event).ends_at <= now().timestamp()


def is_over(event: dict[str, Any]) -> bool:
    """Return True if the event has ended, or its organizers have marked it as completed."""
    return event["status"] == COMPLETED or has_ended(event)


def is_on(event: dict[str, Any]) -> bool:
    """Return True if people can still come to the event: it is not over, and not cancelled."""
    return event["status"] != CANCELLED and not is_over(event)


def is_open(event: dict[str, Any]) -> bool:
    """Return True if the event takes registrations by its status, and has not ended."""
    return event["status"] in OPEN_STATUSES and not has_ended(event)


def place_of(event: dict[str, Any]) -> tzinfo | None:
    """Return the time zone of an event, or None if it has none."""
    return ZoneInfo(event["timeZone"]) if event.get("timeZone") else None


def clock_of(event: dict[str, Any]) -> str:
    """Return ``Berlin time``, or ``UTC`` if the event has no time zone."""
    return humanize.zone(event["timeZone"]) if event.get("timeZone") else "UTC"


def local_moment(event: dict[str, Any], name: str) -> str:
    """Return a moment of an event in its time zone, or in UTC if it has none."""
    return humanize.local_moment(event[name], place_of(event), now())


def when(event: dict[str, Any]) -> str:
    """Return ``Sat 12 Dec 2026, 19:00–22:00``, or ``Now, until Sunday`` for one of several days that runs."""  # noqa: RUF002 (a range)
    return now_until(event) or days(event)


def days(event: dict[str, Any]) -> str:
    """Return the days and hours, in full."""
    if is_of_several_days(event):
        return humanize.days(event["date"], event["endDate"], event.get("startTime"), event.get("endTime"))
    return ", ".join(filter(None, [humanize.day(event["date"]), hours(event)]))


def now_until(event: dict[str, Any]) -> str:
    """Return ``Now, until Sunday, 18:00`` for an event of several days that runs, else an empty string."""
    here = now().astimezone(place_of(event) or UTC)
    began = (event["date"], event.get("startTime") or "") <= (f"{here:%Y-%m-%d}", f"{here:%H:%M}")
    if not is_of_several_days(event) or not began or has_ended(event) or event["status"] in STATUS_WORDS:
        return ""
    return humanize.until(event["endDate"], f"{here:%Y-%m-%d}", event.get("endTime"))


def is_of_several_days(event: dict[str, Any]) -> bool:
    """Return True if the event ends on another day than it begins, by its `endDate`."""
    return bool(event.get("endDate") and event["endDate"] != event["date"])


def hours(event: dict[str, Any]) -> str:
    """Return ``19:00–22:00``, or an empty string for an event of whole days."""  # noqa: RUF002 (a range)
    return "–".join(filter(None, [event.get("startTime"), event.get("endTime")]))  # noqa: RUF001 (a range)


def hours_and_zone(event: dict[str, Any]) -> str:
    """Return ``19:00–22:00, Berlin time``."""  # noqa: RUF002 (a range)
    zone = humanize.zone(event["timeZone"]) if event.get("timeZone") else ""
    shown = "" if is_of_several_days(event) else hours(event)
    return ", ".join(filter(None, [shown, zone])) if hours(event) else ""


def sign_up(event: dict[str, Any]) -> str:
    moment = clock.now()
    if event["status"] not in OPEN_STATUSES:
        return CLOSED
    if has_ended(event):
        return OVER
    if (opens := event.get("registrationOpensAt")) and clock.precise(opens) > moment:
        return NOT_OPEN
    if (closes := event.get("registrationClosesAt")) and clock.precise(closes) <= moment:
        return CLOSED
    if not event["waitlistCount"] and event["registeredCount"] < event["capacity"]:
        return OPEN
    return WAITLIST if event["waitlistEnabled"] else FULL


def passes_seats_on(event: dict[str, Any]) -> bool:
    """Return True if a seat that is given up goes to the head of the waitlist."""
    return is_open(event) and event["waitlistCount"] > 0 and event["registeredCount"] <= event["capacity"]


def _state(event: dict[str, Any]) -> str:
    """Return the state of sign-up, or the status of an event that does not take registrations."""
    return event["status"] if event["status"] in STATUS_WORDS else sign_up(event)


def room(event: dict[str, Any]) -> str:
    """Return the free seats in a few words for a list: ``9 left``."""
    state = _state(event)
    if state == OPEN:
        return f"{humanize.number(event['capacity'] - event['registeredCount'])} left"
    if state == NOT_OPEN:
        return f"Opens {local_moment(event, 'registrationOpensAt')}"
    return ROOM[state]


def room_sentence(event: dict[str, Any]) -> str:
    """Return the free seats for the page of the event: ``Full · 6 people waiting``."""
    state = _state(event)
    if state == OPEN:
        return f"{humanize.counted(event['capacity'] - event['registeredCount'], 'seat')} left"
    if state == NOT_OPEN:
        opens = datetime.fromisoformat(event["registrationOpensAt"])
        shown = local_moment(event, "registrationOpensAt")
        return f"Opens {shown} ({humanize.wait((opens - now()).total_seconds())})"
    if state in SENTENCES:
        return SENTENCES[state]
    waiting = event["waitlistCount"]
    return f"Full · {humanize.people(waiting)} waiting" if waiting else "Full"


def closes(event: dict[str, Any]) -> str:
    """Return a sentence with the end of sign-up, or an empty string if there is none."""
    if sign_up(event) not in (OPEN, WAITLIST) or not event.get("registrationClosesAt"):
        return ""
    return f"Sign up until {local_moment(event, 'registrationClosesAt')}."


def map_url(event: dict[str, Any]) -> str:
    return MAP + urlencode({"query": event["location"]})


def row(event: dict[str, Any], mark: str = "") -> dict[str, Any]:
    """Return the row of an event in a list, for the templates, with the mark of the user's own registration."""
    return event | {
        "url": pages.url("event", event["eventId"]),
        "first": date.fromisoformat(event["date"]),
        "when": when(event),
        "room": room(event),
        "sign_up": sign_up(event),
        "look": CANCELLED if event["status"] == CANCELLED else "past" if is_over(event) else "",
        "mark": mark,
    }


def mark(event: dict[str, Any], marks: dict[str, str]) -> str:
    """Return the user's own registration in a few words, or nothing where the event is over or cancelled."""
    return marks.get(event["eventId"], "") if is_on(event) else ""


def week_end(day: str) -> str:
    found = date.fromisoformat(day)
    return str(found + timedelta(days=6 - found.weekday()))


def month_end(day: str) -> str:
    found = date.fromisoformat(day)
    return str((found.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1))
