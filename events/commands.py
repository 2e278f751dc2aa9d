"""Commands of events to the app that builds on this one."""

from events.ledger.models import Seats
from eventsite.commands import command


@command
def drain(seats: Seats) -> None:
    """Apply every committed operation and trim the log, before an event is deleted."""
    raise NotImplementedError
