"""``manage.py plan dev``: show what `zappa deploy dev` or `zappa update dev` would do, without doing it."""

from collections import Counter
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventsite.management.stage_command import StageCommand


class Command(StageCommand):
    """Show the steps of a deployment. Exit status: 1 when the deployment would stop."""

    help = "Shows what `zappa deploy` or `zappa update` of a stage would make, change, replace and remove."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--all", action="store_true", help="also what stays as it is")

    def on_stage(self, chosen: Any, **options: Any) -> None:
        from eventsite.deployment import plan

        steps = plan.steps(chosen)
        shown = [step for step in steps if options["all"] or step.verb != plan.LEAVE]
        width = max((len(step.what) for step in shown), default=0)
        for step in shown:
            self.stdout.write(f"{step.verb:7}  {step.what:{width}}  {step.how}".rstrip())
        counted = Counter(step.verb for step in steps)
        summary = ", ".join(f"{counted[verb]} to {verb}" for verb in ("make", "change", "replace", "remove", "leave"))
        self.stdout.write(f"{summary}. Nothing was executed.")
        if counted[plan.STOP]:
            raise CommandError("The deployment would stop: see above.")
