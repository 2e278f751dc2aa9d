"""Django's registration of this app."""

from django.apps import AppConfig


class RegistrationsConfig(AppConfig):
    name = "registrations"
    shell_names = (
        "registrations.models.Registration",
        "registrations.seating",
        "registrations.reading.one as reading",
        "registrations.reading.lists.of_event",
        "registrations.reading.attendances.of_user",
    )
    beside_runserver = ("registrations.notices.locally.start",)

    def ready(self) -> None:
        """Listen to what happens to events."""
        from registrations import receivers  # noqa: F401 (importing connects them)
