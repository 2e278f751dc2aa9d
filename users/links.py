"""The links of the pages of users."""

from django.urls import reverse

from eventsite.web.links import register_entries, register_ways

register_ways("root", ways=[("Users", "users")])
register_entries("users", link=lambda row: (row["name"], reverse("user", args=[row["userId"]])))
