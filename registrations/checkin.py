"""Check-in: record who has arrived, and count them."""

from events import services
from eventsite.auth.scope import Scope
from eventsite.errors import Refused
from registrations import seating
from registrations.models import REGISTERED, Registration
from registrations.reading import lists
from registrations.reading import one as reading

MOST_PAGES = 10  # pages to read for one filtered page, which bounds its cost


class NotRegistered(Refused):
    """The user has no seat: the user waits, or has cancelled."""

    code = "not_registered"
    detail = "This person has no seat for this event."


def check_in(event_id: str, user_id: str, *, by: str | None, scope: Scope) -> Registration:
    """Check a person in. A second check-in keeps the time of the first.

    Args:
        event_id: The event.
        user_id: The person.
        by: The caller; None if the service has no sign-in.
        scope: The events that the caller may touch.

    Raises:
        EventNotFound, EventNotYours, RegistrationNotFound
        NotRegistered: The person has no seat.
    """
    found = _find(event_id, user_id, scope)
    if found.checked_in_at:
        return found
    seating.check_in(event_id, user_id, by)
    return _find(event_id, user_id, scope)


def undo(event_id: str, user_id: str, *, scope: Scope) -> Registration:
    """Undo a check-in. Without one, nothing happens.

    Raises:
        EventNotFound, EventNotYours, RegistrationNotFound
        NotRegistered: The person has no seat.
    """
    if not _find(event_id, user_id, scope).checked_in_at:
        return _find(event_id, user_id, scope)
    seating.check_out(event_id, user_id)
    return _find(event_id, user_id, scope)


def page(
    event_id: str, *, scope: Scope, status: str, limit: int, after: int | None, checked_in: bool | None
) -> tuple[list[Registration], int | None]:
    """Return one page of an event's registrations, as `lists.of_event`.

    Args:
        event_id: The event.
        scope: The events that the caller may touch.
        status: The status of the registrations.
        limit: The most registrations to return.
        after: The ticket that the last page ended with.
        checked_in: True for checked-in people only, False for the others only, None for all. A page may then
            be shorter, with others after it.
    """
    found, following = lists.of_event(event_id, scope=scope, status=status, limit=limit, after=after)
    if checked_in is None:
        return found, following
    shown = [one for one in found if bool(one.checked_in_at) is checked_in]
    for _ in range(MOST_PAGES - 1):
        if len(shown) >= limit or following is None:
            break
        more, following = lists.of_event(event_id, scope=scope, status=status, limit=limit, after=following)
        shown += [one for one in more if bool(one.checked_in_at) is checked_in]
    return (shown[:limit], shown[limit - 1].ticket) if len(shown) > limit else (shown, following)


def _find(event_id: str, user_id: str, scope: Scope) -> Registration:
    services.check_access(services.read(event_id, scope=scope).event, scope)
    found = reading.read(event_id, user_id, scope=scope)
    if found.status != REGISTERED:
        raise NotRegistered
    return found
