"""Commands of events to the app that builds on this one."""

from events.ledger.models import Seats
from eventsite.commands import command
from eventsite.dynamodb.steps import Steps


@command
def drain(seats: Seats) -> Steps[None]:
    """Apply every committed operation and trim the log, before an event is deleted."""
    raise NotImplementedError
