"""The forms of events: their fields, with labels and in order."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rest_framework.exceptions import ValidationError

from events import window
from events.browsable.wording import now
from eventsite.pages import forms
from eventsite.pages.forms import Button, Field, Form
from eventsite.pages.page import Page
from eventsite.web.fields import time_zones

LABELS = {
    "title": "Title",
    "description": "Description",
    "date": "Date",
    "startTime": "Starts at",
    "endTime": "Ends at",
    "endDate": "Last day",
    "timeZone": "Time zone",
    "location": "Place",
    "capacity": "Seats",
    "waitlistEnabled": "Waitlist",
    "organizer": "Organizer",
    "registrationOpensAt": "Sign-up opens",
    "registrationClosesAt": "Sign-up closes",
    "unlisted": "Unlisted",
    "status": "Status",
    "eventId": "Link name",
}
HELPS = {
    "startTime": "Without a time, the event takes the whole day.",
    "endTime": "If it ends after midnight, just enter the time.",
    "endDate": "For an event of several days.",
    "timeZone": "Such as Europe/Berlin. Needed with a time.",
    "capacity": "0 means that everybody goes to the waitlist.",
    "waitlistEnabled": "When all seats are taken, people wait and move up automatically.",
    "registrationOpensAt": "In the time zone of the event, or in UTC if it has none. Empty: at once.",
    "registrationClosesAt": "In the same time zone. Empty: when the event ends.",
    "unlisted": "It is in no list. People with the address can see it and sign up.",
    "status": "Published: people can sign up. Draft: only you see it.",
    "eventId": "The end of its address, such as spring-party. It cannot be changed later.",
}
NEW = {"title": "Title", "date": "Date", "startTime": "Starts at", "location": "Place", "capacity": "Seats"}
"""The fields of a new event that are always visible. The others are in the section "More"."""
IN_SIGHT = {"title", "description", "date", "startTime", "endTime", "location", "capacity"}
"""The fields of the edit form that are always visible."""
FILTERS = {
    "status": "Status",
    "organizerId": "Organizer's id",
    "from": "From",
    "to": "Until",
    "order": "Order",
    "limit": "Per page",
}
ORDERS = {"asc": "Earliest first", "desc": "Latest first"}
SHORT = ("title", "date", "startTime", "endTime", "location", "capacity", "status")
"""The fields that the delete button compares. A change of one may be a reason to keep the event."""
TIMETABLE = {"date", "startTime", "endTime", "endDate", "timeZone", "location"}
"""The fields whose changes are mailed to the people who signed up."""
MOMENTS = ("registrationOpensAt", "registrationClosesAt")


def new_form(page: Page, copied: dict[str, Any]) -> Form:
    """Return the form of a new event, with the values that are copied from another one."""
    who = page.principal.name if page.principal else ""
    values = {"organizer": who, "waitlistEnabled": True} | copied
    labels = {name: LABELS[name] for name in (*NEW, *LABELS)}
    serializer = page.view.serializers["create"](context={"request": page.request})
    asked = [one for one in forms.fields(serializer, labels, helps=HELPS, values=values) if one.name != "status"]
    for one in asked:
        one.more = one.name not in NEW and not (one.name == "organizer" and not one.value)
    made = Form(page.request.path, "Publish", "POST", [_as_input(one) for one in asked])
    made.buttons = [Button("Publish", "status", "published", "primary"), Button("Save as draft", "status", "draft")]
    return made


def edit_form(page: Page, values: Any = None) -> Form:
    """Return the form that edits an event, with the rarely changed fields in the section "More"."""
    made = page.make_form("PUT", "Save", values)
    for one in map(_as_input, made.fields):
        one.more = one.name not in IN_SIGHT
    return made


def _as_input(one: Field) -> Field:
    if one.name in MOMENTS:
        one.kind = "datetime-local"
    if one.kind == "number":
        one.attributes["inputmode"] = "numeric"
    return one


def filters(page: Page, *, folded: bool) -> Form:
    query = page.view.queries["list"]()
    shown = forms.fields(query, FILTERS, helps={}, values=page.request.query_params, prefix="filter")
    for field in shown:
        field.optional = False  # all filters are, so that no label needs a mark
        for option in field.options:
            option.label = ORDERS.get(option.value, option.label)
    return Form(page.request.path, "Show", "GET", shown, look="primary" if folded else "")


def to_moments(values: Any, zone: str | None) -> None:
    """Convert the local times that users type into moments with an offset, in place.

    Raises:
        ValidationError: The clocks of the zone skip a time.
    """
    known = zone if zone in time_zones() else None
    place = ZoneInfo(known) if known else now().tzinfo
    for name in MOMENTS:
        try:
            typed = datetime.fromisoformat(values.get(name) or "")
        except ValueError:
            continue
        if typed.tzinfo is None:
            if known and (sentence := window.skipped(typed.date(), typed.time(), known)):
                raise ValidationError({name: [sentence]})
            values[name] = typed.replace(tzinfo=place).isoformat()
