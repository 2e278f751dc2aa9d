"""``manage.py import FILE...``: events and people from other services, spreadsheets, our first release, `export`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from events import services
from eventsite.auth.scope import EVERYTHING
from eventsite.management.operating import OperatorCommand, with_bar
from registrations.transfer import files, guests, moments, sheets, write
from registrations.transfer.assemble import Assembled, assemble, registrations_in
from registrations.transfer.guests import Guest, Reading
from registrations.transfer.notes import Notes
from registrations.transfer.planned import Refused


class Command(OperatorCommand):
    """Imports files.

    The exit status is 1, with a place and a sentence, if a record cannot be imported. Then nothing is written.
    """

    help = (
        "Imports events, users and registrations: scans of tables, the JSON of list calls, what `export` writes, "
        "spreadsheets; with --event the guest list of another service. -v 2 shows every note."
    )
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="all files that belong together")
        parser.add_argument("--event", metavar="ID", help="sign the people of these sheets up for this event")
        parser.add_argument(
            "--map", action="append", default=[], metavar="ROLE=HEADER", help=f"a role is {', '.join(guests.ROLES)}"
        )
        parser.add_argument(
            "--date-format", choices=moments.ORDERS, default=moments.ISO, help="the order of dates such as 3/4/2027"
        )
        parser.add_argument("--skip", action="store_true", help="leave out what cannot be imported, and write the rest")
        parser.add_argument("--strict", action="store_true", help="exit status 1 when anything was changed or left out")

    def handle(self, *args: Any, **options: Any) -> None:
        self._notes, self._options = Notes(), options
        try:
            refused = self._guests() if options["event"] else self._everything()
        except (sheets.Broken, Refused, OSError) as error:
            raise CommandError(f"{error} Nothing was imported.") from error
        if refused or (options["strict"] and self._notes):
            sys.exit(1)

    # Events with their people

    def _everything(self) -> list[str]:
        assembled = self._read(self._options["files"])
        self._show_notes()
        self._refuse(assembled.refused)
        events, registrations = len(assembled.events), registrations_in(assembled.events)
        self.stdout.write(f"{events} events, {len(assembled.users)} users and {registrations} registrations to import.")
        if not self._options["dry_run"]:
            self._write(assembled)
        return assembled.refused

    def _read(self, paths: Sequence[Path]) -> Assembled:
        reading = self._reading()
        rows: list[files.Row] = []
        people: list[Guest] = []
        refused: list[str] = []
        for path in paths:
            text = files.read_text(path, self._notes)
            table = sheets.read(path.name, text) if files.is_sheet(path, text) else None
            if table is None:
                rows += with_bar(files.rows(path, text, self._notes), "records read")
            elif table.is_ours and not reading.named:
                rows += with_bar(files.rows_of(table, self._notes, order=reading.order), "lines read")
            else:
                people += with_bar(guests.guests(table, reading, self._notes, refused), "guests read")
        assembled = assemble(rows, self._notes, with_bar)
        known = {one.user_id: one.user for one in guests.in_order(people, self._notes)}
        assembled.users, assembled.refused = known | assembled.users, refused + assembled.refused
        return assembled

    def _write(self, assembled: Assembled) -> None:
        users, events = write.write(
            with_bar(assembled.users.values(), "users", len(assembled.users)),
            with_bar(assembled.events, "events", len(assembled.events)),
        )
        if users:
            self.stdout.write(f"{len(users)} users were here already and were left as they are.")
        for event_id in events:
            self.stdout.write(f"Event {event_id} was here already and was left as it is.")
        if assembled.events:
            call_command("audit_seats", *(event.event_id for event in assembled.events), stdout=self.stdout)

    # Guests of one event

    def _guests(self) -> list[str]:
        whole = services.read(self._options["event"], scope=EVERYTHING)
        guests.check(whole.seats)
        reading = self._reading(list(whole.event.questions))
        listed: list[Guest] = []
        refused: list[str] = []
        for path in self._options["files"]:
            text = files.read_text(path, self._notes)
            if not files.is_sheet(path, text):
                raise sheets.Broken(f"{path.name}, line 1, column 1: this is no sheet. Import it without --event.")
            listed += with_bar(
                guests.guests(sheets.read(path.name, text), reading, self._notes, refused), "guests read"
            )
        listed = guests.in_order(listed, self._notes)
        self._refuse(refused)
        self._admit(listed)
        return refused

    def _admit(self, listed: list[Guest]) -> None:
        if self._options["dry_run"]:
            self._show_notes()
            self.stdout.write(f"{len(listed)} guests to import.")
            return
        comers = with_bar(listed, "guests", len(listed))
        seats, waiting = guests.admit(self._options["event"], comers, self._notes)
        self._show_notes()
        self.stdout.write(f"{seats} guests have a seat, and {waiting} wait.")

    # Both

    def _show_notes(self) -> None:
        for line in self._notes.lines(self._options["verbosity"]):
            self.stdout.write(line)

    def _refuse(self, refused: list[str]) -> None:
        """Show what cannot be imported.

        Raises:
            CommandError: There is something, and it is not to be left out.
        """
        for reason in refused:
            self.stderr.write(f"Refused: {reason}")
        if refused and not self._options["skip"]:
            raise CommandError(f"{len(refused)} refused; --skip leaves them out. Nothing was imported.")

    def _reading(self, questions: list[dict[str, Any]] | None = None) -> Reading:
        """Return the options for sheets.

        Raises:
            Refused: ``--map`` names an unknown role.
        """
        named = {}
        for text in self._options["map"]:
            role, _, header = text.partition("=")
            found = next((one for one in guests.ROLES if one.lower() == role.strip().lower()), None)
            if found is None or not header.strip():
                raise Refused(
                    f"--map {text}: write a role and a header, such as email=Mail. Roles: {', '.join(guests.ROLES)}."
                )
            named[found] = header
        return Reading(named, self._options["date_format"], questions or [])
