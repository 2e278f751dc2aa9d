"""Django's registration of this app."""

from django.apps import AppConfig


class EventsiteConfig(AppConfig):
    """The ground under the other apps."""

    name = "eventsite"

    def ready(self) -> None:
        """Register the checks."""
        from eventsite import checks  # noqa: F401 (importing registers them)
