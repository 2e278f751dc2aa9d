"""The links of the pages of events."""

from django.urls import reverse

from eventsite.web.links import register_entries, register_ways

register_ways("root", ways=[("Events", "events")])
register_entries("events", link=lambda row: (f"{row['date']} {row['title']}", reverse("event", args=[row["eventId"]])))
