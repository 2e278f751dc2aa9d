"""The base of operator commands: a sentence for each failure, `--dry-run`, and a progress bar."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper

from eventsite.dynamodb import tables
from eventsite.dynamodb.explain import sentence
from eventsite.dynamodb.retries import FAILURES
from eventsite.text.printable import printable

T = TypeVar("T")

BAR_AFTER_SECONDS = 1.0
PAGE = 1000  # things that `all_pages` reads at a time
LINE_SECONDS = 10.0  # between two lines where there is no terminal, so that a log stays short
OUTPUTS = ("stdout", "stderr")
INTERRUPTED = 130  # the exit status after Ctrl-C, as shells have it
BROKEN_PIPE = 141  # the exit status after the reader of the output has ended, as shells have it


class PrintableOutput(OutputWrapper):
    """The output of a command: one line for each call, whatever users wrote into it."""

    def write(  # type: ignore[override]  # as Django's, whose stubs break the same rule
        self, msg: str = "", style_func: Any = None, ending: str | None = None
    ) -> None:
        """Write a line. Line breaks at its end stay.

        Raises:
            CommandError: It cannot be written, for example on a full disk.
            SystemExit: The reader has ended, such as `head`, which is no failure.
        """
        text = msg.rstrip("\n")
        shown = printable(text, getattr(self._out, "encoding", None) or "utf-8")
        try:
            super().write(shown + msg[len(text) :], style_func, ending)
        except BrokenPipeError:
            sys.exit(BROKEN_PIPE)
        except OSError as error:
            raise CommandError(f"It cannot be written: {error}.") from error


class OperatorCommand(BaseCommand):
    """A command that works on the tables.

    The exit status is 1 after a failure and 130 after Ctrl-C. Every command can be interrupted and run again.
    """

    requires_system_checks = []
    needs_tables = True
    """True if a local run creates the tables that are missing first, as `runserver` does."""
    has_dry_run = False
    """True for a command with the option `--dry-run`."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Make both outputs printable, also those that a caller passes to Django's `execute`."""
        super().__setattr__(name, PrintableOutput(value._out) if name in OUTPUTS else value)

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **options)
        if self.has_dry_run:
            parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            if self.needs_tables and settings.LOCAL:
                tables.create_missing()
            return super().execute(*args, **options)
        except FAILURES as error:
            raise CommandError(sentence(error)) from error
        except KeyboardInterrupt as interruption:
            raise CommandError("Interrupted. Run it again to go on.", returncode=INTERRUPTED) from interruption


def all_pages(page: Callable[..., tuple[Iterable[T], Any]], of: str, **wanted: Any) -> Iterator[T]:
    """Yield the things on all pages of a list.

    `page(of, limit=, after=, **wanted)` returns the things on a page, and where the next one begins or None.
    """
    after = None
    while True:
        things, after = page(of, limit=PAGE, after=after, **wanted)
        yield from things
        if after is None:
            return


def with_bar(things: Iterable[T], unit: str, total: int | None = None) -> Iterable[T]:
    """Show the progress of an iteration: a bar on a terminal, elsewhere a line every ten seconds."""
    if not sys.stderr.isatty():
        return _with_lines(things, unit, total)
    try:
        from tqdm import tqdm
    except ImportError:  # Lambda has none
        return things
    return tqdm(things, unit=f" {unit}", total=total, delay=BAR_AFTER_SECONDS)


def _with_lines(things: Iterable[T], unit: str, total: int | None) -> Iterator[T]:
    last = time.monotonic()
    for number, thing in enumerate(things, 1):
        yield thing
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            print(f"{unit}: {number:,}{f' of {total:,}' if total else ''}", file=sys.stderr, flush=True)  # noqa: T201
