"""Check-in: record who has arrived, and count them."""

from functools import partial

from pynamodb.expressions.update import Action

from events.ledger.models import CheckIns, Seats
from eventsite.auth.scope import Scope
from eventsite.dynamodb.steps import Now, Steps, Update, run
from eventsite.errors import Refused
from registrations.models import REGISTERED, Registration
from registrations.reading import lists
from registrations.reading.filling import filled
from registrations.seating import Annotation, annotate_in_steps


class NotRegistered(Refused):
    """The user has no seat: the user waits, or has cancelled."""

    code = "not_registered"
    detail = "This person has no seat for this event."


def check_in(event_id: str, user_id: str, *, by: str | None, scope: Scope) -> Registration:
    """Check a person in, and count them. A second check-in keeps the time of the first.

    Raises:
        EventNotFound, EventNotYours, RegistrationNotFound
        NotRegistered: The person has no seat.
    """
    return run(in_steps(event_id, user_id, by, scope, is_in=True))


def undo(event_id: str, user_id: str, *, scope: Scope) -> Registration:
    """Undo a check-in. Without one, nothing happens.

    Raises:
        EventNotFound, EventNotYours, RegistrationNotFound
        NotRegistered: The person has no seat.
    """
    return run(in_steps(event_id, user_id, None, scope, is_in=False))


def in_steps(event_id: str, user_id: str, by: str | None, scope: Scope, *, is_in: bool) -> Steps[Registration]:
    """Check a person in, as `check_in`, or undo that, in steps."""

    def plan(seats: Seats, found: Registration) -> Steps[Annotation | None]:
        at = yield Now()
        if found.status != REGISTERED:
            raise NotRegistered
        if bool(found.checked_in_at) is is_in:
            return None
        counting: list[Action] = [CheckIns.people.add(1 if is_in else -1)]
        if is_in:
            last = [CheckIns.user_id.set(user_id), CheckIns.ticket.set(found.ticket), CheckIns.at.set(at)]
            counting += [*last, CheckIns.by.set(by) if by else CheckIns.by.remove()]
        return Annotation({"checked_in_at": at if is_in else None}, Update(CheckIns.of(seats), counting))

    return (yield from annotate_in_steps(event_id, user_id, plan, scope))


def page(
    event_id: str, *, scope: Scope, status: str, limit: int, after: int | None, checked_in: bool | None
) -> tuple[list[Registration], int | None]:
    """Return one page of an event's registrations, as `lists.of_event`, or only of people who are (not) checked in.

    A page of only some people may be shorter than the limit, with others after it.
    """
    page_after = partial(lists.of_event, event_id, scope=scope, status=status, limit=limit)
    if checked_in is None:
        return page_after(after=after)

    def read(after: int | None) -> lists.Listed:
        found, following = page_after(after=after)
        return [one for one in found if bool(one.checked_in_at) is checked_in], following

    return filled(read, lambda one: one.ticket, limit=limit, after=after)
