"""Ends: of a deleted event's registrations, and of all that a user has.

Both are done in bounded steps and may be repeated: what is left over does no harm. A registration counts only while its
event is the one that it was made for (`incarnation`), so those of a deleted event are shown nowhere.
"""

import logging
from itertools import islice

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import DeleteError, PynamoDBException

from events import services
from events.ledger.models import CancellationOutbox
from events.models import Event, EventItem
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb import writes
from eventsite.dynamodb.retries import time_left, time_limit
from eventsite.errors import Unavailable
from registrations.errors import RegistrationNotFound
from registrations.models import EVERY_LINE, ActiveItem, EventTicket, PastItem, UserItem, active_items, past_items
from registrations.seating import clearing, locking
from registrations.seating import services as seating

logger = logging.getLogger(__name__)

LEAVES_SECONDS = 5.0
"""Clearing up stops when so little of the request's time is left."""
PEOPLE_AT_ONCE = 100
OF_ALL = EventItem.get_attributes().keys() - {"status"}
TOLD = tuple(CancellationOutbox.get_attributes().keys() & Event.get_attributes().keys() - OF_ALL)
"""What the people are told of the event that was theirs."""


def forget_event(event_id: str, incarnation: str, event: Event | None = None) -> None:
    """Remove what is left of a deleted event, as long as the request's time lasts.

    Takes: its description, as far as that is known: the people are told what it was.
    It never fails: the event is gone.
    """
    try:
        with time_limit(time_left() - LEAVES_SECONDS):
            _forget_event(event_id, incarnation, event)
    except (PynamoDBException, BotoCoreError, Unavailable):
        logger.warning("registrations of a deleted event are left behind", exc_info=True)


def _forget_event(event_id: str, incarnation: str, event: Event | None) -> None:
    lines = EventTicket.in_order(event_id, incarnation, limit=EVERY_LINE)
    while some := list(islice(lines, PEOPLE_AT_ONCE)):
        _say_farewell(event_id, incarnation, event, some)
        for line in some:
            user_id = str(line.user_id)
            _remove(ActiveItem(*ActiveItem.key_of(event_id, user_id)), incarnation)
            _remove(PastItem(*PastItem.key_of(event_id, user_id)), incarnation)
            EventTicket(line.key, line.item).delete()
    services.forget_tickets(event_id, incarnation)


def _say_farewell(event_id: str, incarnation: str, event: Event | None, lines: list[EventTicket]) -> None:
    """Leave in the stream who was in, before the lines are gone: nothing else could tell them that it is over."""
    people = [f"{int(line.ticket or 0)}:{line.user_id}" for line in lines if line.is_active]
    if not people:
        return
    key = event_id, CancellationOutbox.name(incarnation, int(people[0].partition(":")[0]))
    farewell = CancellationOutbox(*key, incarnation=incarnation, people=" ".join(people))
    for name in TOLD if event else ():
        setattr(farewell, name, getattr(event, name))
    farewell.save()


def _remove(item: UserItem, incarnation: str) -> None:
    """Remove a user's registration, unless it is for a later event of the same id."""
    try:
        item.delete(condition=UserItem.incarnation == incarnation)
    except DeleteError as error:
        if error.cause_response_code != writes.REFUSED:
            raise


def give_up_everything(user_id: str) -> list[tuple[str, str]]:
    """Give up every seat and every place in a queue that a user has, and delete the user's past registrations.

    Safe to repeat.

    Returns:
        The ids and incarnations of the events.

    Raises:
        Unavailable: With some of it done.
    """
    for item in active_items(user_id):
        try:
            seating.leave(item.event_id, user_id, scope=EVERYTHING)
        except RegistrationNotFound:
            locking.remove_leftover(item)
    places = []
    for past in past_items(user_id):
        places.append((past.event_id, str(past.incarnation)))
        clearing.clear_of(past)
        history = EventTicket.key_of(past.event_id, past.incarnation, int(past.ticket or 0), cancelled=True)
        EventTicket(*history).delete()
        past.delete()
    return places
