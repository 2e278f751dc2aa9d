"""Django's registration of this app."""

from django.apps import AppConfig


class EventsiteConfig(AppConfig):
    """The shared layers of all apps."""

    name = "eventsite"
    shell_names = ("eventsite.auth.scope.EVERYTHING",)

    def ready(self) -> None:
        """Register the checks, log defects, and count conflicts and missed deadlines."""
        import logging.config

        from django.conf import settings
        from django.core.signals import got_request_exception

        from eventsite.dynamodb import retries
        from eventsite.management import checks  # noqa: F401 (importing registers them)
        from eventsite.web import observability

        logging.config.dictConfig(settings.LOGGING)
        got_request_exception.connect(observability.log_defect)
        observability.count_signal(retries.conflict_retried, "ConflictsRetried")
        observability.count_signal(retries.deadline_missed, "DeadlineMisses")
        observability.count_signal(retries.throttled, "Throttles")
