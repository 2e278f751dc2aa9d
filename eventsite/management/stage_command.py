"""The base of commands for one deployed stage: its file, and sentences for errors."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError, CommandParser

if TYPE_CHECKING:
    from eventsite.deployment.stage_file import Choices


class StageCommand(BaseCommand):
    """A command for a stage. The exit status is 1, with a sentence, if it failed."""

    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("stage", help="dev or prod: a stage of zappa_settings.json")

    def handle(self, *args: Any, stage: str, **options: Any) -> None:
        """Read the stage's file, before the SDK and Zappa are loaded, which takes seconds."""
        try:
            from click import ClickException

            from eventsite.deployment import stage_file

            try:
                self.on_stage(stage_file.read(stage, Path.cwd()), **options)
            except ClickException as refusal:
                raise CommandError(refusal.message) from refusal
        except ImportError as error:
            raise CommandError("Deploying needs more than serving: pip install -r requirements-dev.txt") from error
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"AWS refused, or cannot be asked: {error}") from error

    def on_stage(self, chosen: "Choices", **options: Any) -> None:
        raise NotImplementedError
