"""Delete a registration that was given up."""

from events.ledger import log
from events.ledger.models import Seats
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Check, Delete, Steps, Transact, Update
from registrations.models import EventTicket, UserRegistration
from registrations.seating import guards
from registrations.seating.apply import Part
from registrations.seating.rules import next_epoch
from users.models import User


def forget_row(seats: Seats | None, row: UserRegistration) -> Steps[None]:
    """Delete a registration that was given up, or whose event is gone, in one transaction with the user's epoch.

    So no operation that was planned with this registration can be committed afterwards. If the user has been created
    again, the registration stays: the user may be joining again.

    Args:
        seats: The seats, in which the user has no unapplied operation; None if the event is gone.
        row: The registration.

    Raises:
        Conflict: One of them has changed since; read again.
    """
    parts: dict[str, Part] = {"row": Delete(UserRegistration.named(row.key, row.item), guards.is_unchanged(row))}
    if seats is not None and seats.incarnation == row.incarnation:
        parts["seats"] = _fencing(seats, row.user_id)
    line = EventTicket.key_of(row.event_id, row.incarnation, int(row.ticket or 0), cancelled=not row.active)
    parts["line"] = Delete(EventTicket.named(*line))
    parts["user"] = Check(User.named(row.user_id), User.user_id.does_not_exist())
    outcome = yield Transact(parts)
    if not outcome.done and "user" not in outcome.failures:
        raise Conflict(immediate=not outcome.in_conflict)


def _fencing(seats: Seats, user_id: str) -> Update:
    bucket, entry = seats.bucket_of(user_id), log.of_user(seats, user_id)
    actions = [next_epoch(bucket)]
    actions += [Seats.log_entries[entry.name].remove()] if entry else []
    same = guards.is_incarnation(seats.incarnation) & guards.is_epoch(seats, bucket)
    return Update(Seats.key(seats.event_id), actions, same)
