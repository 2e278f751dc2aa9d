"""Django's registration of this app."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """Events."""

    name = "events"
    shell_names = ("events.models.Event", "events.models.Seats", "events.editing", "events.pages")
