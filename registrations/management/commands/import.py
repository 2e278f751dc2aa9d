"""``manage.py import FILE...``: events and people from other services, spreadsheets, our first release, `export`."""

import sys
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from events import services
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.management.operating import OperatorCommand, with_bar
from eventsite.text.humanize import counted, number
from registrations.errors import RegistrationClosed
from registrations.transfer import files, guests, moments, sheets, write
from registrations.transfer.assemble import assemble, registrations_in
from registrations.transfer.guests import Guest, Reading
from registrations.transfer.notes import Notes
from registrations.transfer.planned import Refused
from registrations.transfer.sheets import Row


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
        self._options, self._notes, self._refused = options, Notes(), list[str]()
        try:
            reading = self._reading(options["event"])
            rows, listed = self._read(reading)
            if options["event"] is not None:
                self._sign_up(listed)
            else:
                self._everything(rows, listed)
        except (sheets.Broken, Refused) as error:
            raise CommandError(f"{error} Nothing was imported.") from error
        except OSError as error:
            raise CommandError(f"{error}. Nothing was imported.") from error
        if self._refused or (options["strict"] and self._notes):
            sys.exit(1)

    def _reading(self, event_id: str | None) -> Reading:
        reading = Reading(order=self._options["date_format"])
        for text in self._options["map"]:
            role, _, header = text.partition("=")
            found = {one.lower(): one for one in guests.ROLES}.get(role.strip().lower())
            if found is None or not header.strip():
                raise Refused(
                    f"--map {text}: write a role and a header, such as email=Mail. Roles: {', '.join(guests.ROLES)}."
                )
            reading.named[found] = header
        if event_id is not None:
            event, seats = services.read(event_id, scope=EVERYTHING)
            if not seats.promotes(clock.seconds()):
                raise RegistrationClosed
            reading.questions.extend(event.questions)
        return reading

    def _read(self, reading: Reading) -> tuple[list[Row], list[Guest]]:
        """Return the records of all files, and the people of guest lists in order."""
        rows: list[Row] = []
        people: list[Guest] = []
        for path in self._options["files"]:
            text = files.read_text(path, self._notes)
            if not files.is_sheet(path, text):
                if self._options["event"] is not None:
                    raise sheets.Broken(f"{path.name}, line 1, column 1: this is no sheet. Import it without --event.")
                rows += with_bar(files.rows(path, text, self._notes), "records read")
                continue
            table = sheets.read(path.name, text)
            if table.is_ours and not reading.named and self._options["event"] is None:
                rows += with_bar(table.rows(self._notes, order=reading.order), "lines read")
            else:
                people += with_bar(guests.guests(table, reading, self._notes, self._refused), "guests read")
        return rows, guests.in_order(people, self._notes)

    def _everything(self, rows: list[Row], listed: list[Guest]) -> None:
        """Write events with their people, and the people of guest lists as users."""
        assembled = assemble(rows, self._notes)
        users = {one.user_id: one.user for one in listed} | assembled.users
        self._refused += assembled.refused
        self._show_notes()
        self._refuse()
        events, registrations = len(assembled.events), registrations_in(assembled.events)
        people = f"{counted(len(users), 'user')} and {counted(registrations, 'registration')}"
        self.stdout.write(f"{counted(events, 'event')}, {people} to import.")
        if self._options["dry_run"]:
            return
        there = write.write(with_bar(users.values(), "users", len(users)), with_bar(assembled.events, "events", events))
        if there[0]:
            known = counted(len(there[0]), "user was here already and was", "users were here already and were")
            self.stdout.write(f"{known} left as before.")
        for event_id in there[1]:
            self.stdout.write(f"Event {event_id} was here already and was left as it is.")
        if events:
            call_command("audit_seats", *(event.event_id for event in assembled.events), stdout=self.stdout)

    def _sign_up(self, listed: list[Guest]) -> None:
        """Sign the people of guest lists up for an event."""
        self._refuse()
        if self._options["dry_run"]:
            outcome = f"{counted(len(listed), 'guest')} to import."
        else:
            comers = with_bar(listed, "guests", len(listed))
            seats, waiting = guests.admit(self._options["event"], comers, self._notes)
            outcome = f"{counted(seats, 'guest has', 'guests have')} a seat, and {waiting} wait."
        self._show_notes()
        self.stdout.write(outcome)

    def _show_notes(self) -> None:
        for line in self._notes.lines(self._options["verbosity"]):
            self.stdout.write(line)

    def _refuse(self) -> None:
        """Show what cannot be imported, and end if it is not to be left out."""
        for reason in self._refused:
            self.stderr.write(f"Refused: {reason}")
        if self._refused and not self._options["skip"]:
            raise CommandError(f"{number(len(self._refused))} refused; --skip leaves them out. Nothing was imported.")
