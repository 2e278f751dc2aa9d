"""Django's registration of this app."""

from django.apps import AppConfig


class EventsiteConfig(AppConfig):
    """The ground under the other apps."""

    name = "eventsite"

    def ready(self) -> None:
        """Register the checks, and count what the retries meet."""
        from eventsite import checks  # noqa: F401 (importing registers them)
        from eventsite.dynamodb import retries
        from eventsite.web import observability

        observability.count_signal(retries.conflict_retried, "ConflictsRetried")
        observability.count_signal(retries.deadline_missed, "DeadlineMisses")
