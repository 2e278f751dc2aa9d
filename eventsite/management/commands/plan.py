"""``manage.py plan dev``: what `zappa deploy dev` or `zappa update dev` would do, without doing it."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Tells the steps of a deployment. Exit status: 1 when the deployment would stop, or AWS cannot be asked."""

    help = (
        "Says what `zappa deploy` or `zappa update` of a stage would make, change, remove and leave. Touches nothing."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the stage."""
        parser.add_argument("stage", help="dev or prod: a stage of zappa_settings.json")

    def handle(self, *args: Any, stage: str, **options: Any) -> None:
        try:
            from botocore.exceptions import BotoCoreError, ClientError

            from eventsite.deployment import plan
        except ImportError as error:
            raise CommandError("Deploying needs more than serving: pip install -r requirements-dev.txt") from error
        try:
            steps = plan.steps(stage)
        except plan.Undeployable as error:
            raise CommandError(str(error)) from error
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"AWS cannot be asked: {error}") from error
        for step in steps:
            self.stdout.write(f"{step.verb:7} {step.what}{f': {step.how}' if step.how else ''}")
        self._sum_up(Counter(step.verb for step in steps))

    def _sum_up(self, counted: Counter[str]) -> None:
        verbs = ("make", "change", "remove", "leave")
        self.stdout.write(", ".join(f"{counted[verb]} to {verb}" for verb in verbs) + ". Nothing was touched.")
        if counted["stop"]:
            raise CommandError("The deployment would stop: see above.")
