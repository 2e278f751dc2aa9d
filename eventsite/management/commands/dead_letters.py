"""``manage.py dead_letters dev``: list the dead letters of a stage, or send them again."""

from typing import Any

from django.core.management.base import CommandParser

from eventsite.management.stage_command import StageCommand
from eventsite.text.humanize import number


class Command(StageCommand):
    """List dead letters, and empty their queue. Exit status: 1 when the stage has none."""

    help = "Lists what a stage could not deliver; --resend sends it again, --drop deletes it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--resend", "--tell", action="store_true", help="put all into the queue of notices again")
        does.add_argument("--drop", action="store_true", help="delete all of them")

    def on_stage(self, chosen: Any, **options: Any) -> None:
        from eventsite.deployment.dead_letters import letters, line, queues

        resend, drop = options["resend"], options["drop"]
        dead, notices = queues(chosen)
        found: dict[str, Any] = {}
        for letter in letters(dead):
            if resend and letter.body in found:
                continue  # it was sent again and came back: its cause is still there
            self.stdout.write(line(letter))
            found[letter.body if resend else letter.receipt_handle] = letter
            if resend:  # an interruption before the deletion sends it twice, with the same id
                notices.send_message(MessageBody=letter.body)
            if resend or drop:
                letter.delete()
        if not (resend or drop):
            for letter in found.values():
                letter.change_visibility(VisibilityTimeout=0)
        done = "will be sent again" if resend else "dropped" if drop else "there; --resend sends them again"
        self.stdout.write(f"{number(len(found))} {done}.")
