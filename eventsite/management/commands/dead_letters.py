"""``manage.py dead_letters dev``: list the dead letters of a stage, or send them again."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventsite.management.stage_command import StageCommand


class Command(StageCommand):
    """List dead letters, and empty their queue. Exit status: 1 when the stage has none."""

    help = "Lists what a stage could not deliver; --resend sends it again, --drop deletes it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the stage and the actions."""
        super().add_arguments(parser)
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--resend", "--tell", action="store_true", help="put all into the queue of notices again")
        does.add_argument("--drop", action="store_true", help="delete all of them")

    def on_stage(self, chosen: Any, **options: Any) -> None:
        """List the queue, and execute the action on each letter."""
        from eventsite.deployment import dead_letters

        try:
            queue = dead_letters.of(chosen)
        except dead_letters.NoDeadLetters as error:
            raise CommandError(str(error)) from error
        self._go_through(queue, **options)

    def _go_through(self, queue: Any, *, resend: bool, drop: bool, **_: Any) -> None:
        letters: dict[str, Any] = {}
        for letter in queue.look():
            if resend and letter.body in letters:
                continue  # it was sent again and came back: its cause is still there
            self.stdout.write(f"{letter.since:%Y-%m-%d %H:%M} {letter.about}{letter.reason and f' ({letter.reason})'}")
            letters[letter.body if resend else letter.receipt] = letter
            if resend:
                queue.send_again(letter)
            elif drop:
                queue.drop(letter)
        if not (resend or drop):
            queue.put_back(letters.values())
        done = "will be sent again" if resend else "dropped" if drop else "there; --resend sends them again"
        self.stdout.write(f"{len(letters)} {done}.")
