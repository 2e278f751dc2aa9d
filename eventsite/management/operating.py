"""What commands of operators have in common: a sentence for what goes wrong, `--dry-run`, a bar for what takes long."""

from collections.abc import Iterable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from pynamodb.exceptions import PynamoDBException

from eventsite.errors import DomainError

T = TypeVar("T")

BAR_AFTER_SECONDS = 1.0
INTERRUPTED = 130
"""The exit status of what Ctrl-C ended, as shells have it."""


class OperatorCommand(BaseCommand):
    """A command about people and events. Exit status: 1 with a sentence when it could not be done; 130 after Ctrl-C.

    Whatever such a command does may be interrupted at any moment and done again.
    """

    requires_system_checks = []
    has_dry_run = False
    """Whether it changes something, so that one may want to see first what it would do."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Django's parser, and the options that these commands share."""
        parser = super().create_parser(prog_name, subcommand, **options)
        if self.has_dry_run:
            parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command. Raises: `CommandError` for whatever is not a defect."""
        try:
            return super().execute(*args, **options)
        except DomainError as error:
            raise CommandError(error.sentence) from error
        except (PynamoDBException, BotoCoreError, ClientError) as error:
            raise CommandError(f"DynamoDB does not answer: {error}") from error
        except KeyboardInterrupt as interruption:
            raise CommandError("Interrupted. Run it again to go on.", returncode=INTERRUPTED) from interruption


def with_bar(things: Iterable[T], unit: str, total: int | None = None) -> Iterable[T]:
    """The same things, with a progress bar on a terminal once they take over a second.

    Without one where tqdm is not installed, as on Lambda.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        return things
    return tqdm(things, unit=f" {unit}", total=total, disable=None, delay=BAR_AFTER_SECONDS)
