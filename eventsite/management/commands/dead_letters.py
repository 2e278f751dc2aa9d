"""``manage.py dead_letters dev``: what a stage could not tell; with ``--tell`` it is told again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Lists dead letters, and empties their queue. Exit status: 1 when AWS cannot be asked, or nobody is told."""

    help = "Lists what a stage could not tell; --tell has it told again, --drop takes it away for good."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the stage, and what to do."""
        parser.add_argument("stage", help="dev or prod: a stage of zappa_settings.json")
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--tell", action="store_true", help="put all of them into the queue of notices again")
        does.add_argument("--drop", action="store_true", help="take all of them away for good")

    def handle(self, *args: Any, stage: str, **options: Any) -> None:
        try:
            from botocore.exceptions import BotoCoreError, ClientError

            from eventsite.deployment import dead_letters
        except ImportError as error:
            raise CommandError("Deploying needs more than serving: pip install -r requirements-dev.txt") from error
        try:
            self._go_through(dead_letters.of(stage), **options)
        except dead_letters.NoDeadLetters as error:
            raise CommandError(str(error)) from error
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"AWS cannot be asked: {error}") from error

    def _go_through(self, queue: Any, *, tell: bool, drop: bool, **_: Any) -> None:
        letters: dict[str, Any] = {}
        for letter in queue.look():
            if tell and letter.body in letters:
                continue  # it was told again, and is back: it has to wait for somebody to mend the cause
            self.stdout.write(f"{letter.since:%Y-%m-%d %H:%M} {letter.about}{letter.reason and f' ({letter.reason})'}")
            letters[letter.body if tell else letter.receipt] = letter
            if tell:
                queue.tell_again(letter)
            elif drop:
                queue.drop(letter)
        if not (tell or drop):
            queue.put_back(letters.values())
        done = "will be told again" if tell else "dropped" if drop else "there; --tell has them told again"
        self.stdout.write(f"{len(letters)} {done}.")
