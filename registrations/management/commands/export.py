"""``manage.py export``: everything there is, as JSON lines or as sheets, in the form that ``import`` reads."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandError, CommandParser

from eventsite.management.operating import OperatorCommand, with_bar
from registrations.transfer import export

JSON_LINES, SHEETS = "jsonl", "csv"
PRIVATE = 0o600  # permissions; other users of the machine must not read names and addresses


class Command(OperatorCommand):
    """Exports. A file gets its name only when it is complete."""

    help = "Writes all users, events and registrations, with ids and times, as files that `import` reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("to", nargs="?", type=Path, help="the file, or with csv the directory; default: the screen")
        parser.add_argument("--format", choices=(JSON_LINES, SHEETS), default=JSON_LINES, help="default: jsonl")

    def handle(self, *args: Any, to: Path | None, **options: Any) -> None:
        shown = with_bar(export.everything(), "record")
        if options["format"] == JSON_LINES and to and to.is_dir():
            raise CommandError(f"{to} is a directory: name a file, or add --format csv.")
        try:
            with ExitStack() as files:
                count = self._write(shown, options["format"], to, lambda path: files.enter_context(_whole(path)))
        except OSError as error:
            raise CommandError(f"It cannot be written: {error}") from error
        self.stderr.write(f"Exported {count:,} records.", self.style.SUCCESS)

    def _write(self, records: Any, form: str, to: Path | None, opened: Callable[[Path], IO[str]]) -> int:
        if form == JSON_LINES:
            return export.write_lines(records, opened(to).write if to else self.stdout.write)
        if to is None:
            raise CommandError("Sheets need a directory: manage.py export --format csv DIRECTORY")
        to.mkdir(parents=True, exist_ok=True)
        return export.write_sheets(records, lambda kind: opened(to / f"{kind}s.csv"))


@contextmanager
def _whole(path: Path) -> Iterator[IO[str]]:
    """Yield a private file that gets its name when it is complete, and is removed when it is not.

    A pipe or a device, such as /dev/stdout, is written to as it is. A link keeps leading to the file.
    """
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    path = path.resolve()
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    os.fchmod(descriptor, PRIVATE)  # also where an earlier part was left with other permissions
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except BaseException:
        part.unlink()
        raise
