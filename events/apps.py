"""Django's registration of this app."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"
    shell_names = ("events.models.Event", "events.ledger.models.Seats", "events.services as events", "events.listing")
