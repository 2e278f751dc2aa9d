"""The links of the pages of registrations, and to them from the pages of events and users."""

from typing import Any

from django.urls import reverse

from eventsite.web.links import Link, register_entries, register_ways

EVENT = ("Event", "event", "event_id")
REGISTRATIONS = ("Registrations", "registrations", "event_id")
WAITLIST = ("Waitlist", "waitlist", "event_id")
USER = ("User", "user", "user_id")
USER_REGISTRATIONS = ("Registrations", "user-registrations", "user_id")
USER_WAITLISTS = ("Waitlists", "user-waitlists", "user_id")


def _registration(row: Any) -> Link:
    label = f"{row['userId']}: {row['status']}"
    return label, reverse("registration", args=[row["eventId"], row["userId"]])


def _attendance(row: Any) -> Link:
    label = f"{row['event']['title']}: {row['registration']['status']}"
    return label, reverse("registration", args=[row["event"]["eventId"], row["registration"]["userId"]])


register_ways("event", ways=[REGISTRATIONS, WAITLIST])
register_ways("registrations", ways=[EVENT, WAITLIST])
register_ways("waitlist", "register", ways=[EVENT, REGISTRATIONS])
register_ways("registration", "unregister", ways=[EVENT, REGISTRATIONS, USER])
register_ways("user", ways=[USER_REGISTRATIONS, USER_WAITLISTS])
register_ways("user-registrations", ways=[USER, USER_WAITLISTS])
register_ways("user-waitlists", ways=[USER, USER_REGISTRATIONS])
register_entries("registrations", "waitlist", link=_registration)
register_entries("user-registrations", "user-waitlists", link=_attendance)
