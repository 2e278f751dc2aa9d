"""A queue that tests empty by hand, and the mails that come of it."""

import email
import email.policy
import json
from collections.abc import Iterable, Sequence
from email.message import EmailMessage
from pathlib import Path

from registrations.notices import attempts, outlets
from registrations.notices.occasions import Notice
from registrations.notices.queue import Task
from tests.registrations.notices import streaming as stream


class Carried:
    """The tasks in the queue, and their results."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen: set[Path] = set()
        self.bodies: list[tuple[str, int]] = []

    def put(self, bodies: Iterable[str], *, seconds: float = 0, number: int = 1) -> None:
        """As the queue of a local run does it."""
        self.bodies += [(body, number) for body in bodies]

    @property
    def tasks(self) -> list[Task]:
        """The messages in the queue."""
        return [Task.read(json.loads(body)) for body, _ in self.bodies]

    def once(self) -> list[float]:
        """Try every message in the queue once. Returns: the waits of those that come back."""
        waits, bodies = [], self.bodies
        self.bodies = []
        for body, number in bodies:
            seconds = attempts.attempt(body, number)
            if seconds is not None:
                waits.append(seconds)
                self.put([body], number=number + 1)
        return waits

    def publish(self, notices: Sequence[Notice] | None = None) -> list[EmailMessage]:
        """Hand notices to the outlets, by default all, and execute the tasks. Returns: the new mails."""
        outlets.publish(stream.reported() if notices is None else notices)
        while self.bodies:
            self.once()
        return self.new_mails()

    def new_mails(self) -> list[EmailMessage]:
        """The mails that nobody has looked at yet, by their addressees."""
        files = set(self._directory.glob("*.eml")) - self._seen
        self._seen |= files
        found = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files]
        return sorted(found, key=lambda mail: str(mail["To"]))


def text(mail: EmailMessage) -> str:
    """The plain text part."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html(mail: EmailMessage) -> str:
    """The HTML part."""
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())
