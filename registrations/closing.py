"""Ends: of a deleted event's registrations, and of all that a user has.

Both are done in bounded steps and may be repeated: what is left over does no harm. A registration counts only while its
event is the one that it was made for (`incarnation`), so those of a deleted event are shown nowhere.
"""

import logging

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import DeleteError, PynamoDBException

from events import editing
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb import writes
from eventsite.dynamodb.retries import time_left, time_limit
from eventsite.errors import Unavailable
from registrations import clearing, locking, seating
from registrations.errors import RegistrationNotFound
from registrations.models import EVERY_LINE, ActiveItem, EventTicket, PastItem, UserItem, active_items, past_items

logger = logging.getLogger(__name__)

LEAVES_SECONDS = 5.0
"""Clearing up stops when so little of the request's time is left."""


def forget_event(event_id: str, incarnation: str) -> None:
    """Remove what is left of a deleted event, as long as the request's time lasts.

    It never fails: the event is gone.
    """
    try:
        with time_limit(time_left() - LEAVES_SECONDS):
            _forget_event(event_id, incarnation)
    except (PynamoDBException, BotoCoreError, Unavailable):
        logger.warning("registrations of a deleted event are left behind", exc_info=True)


def _forget_event(event_id: str, incarnation: str) -> None:
    for line in EventTicket.in_order(event_id, incarnation, limit=EVERY_LINE):
        user_id = str(line.user_id)
        for item in (ActiveItem(*ActiveItem.key_of(event_id, user_id)), PastItem(*PastItem.key_of(event_id, user_id))):
            _remove(item, incarnation)
        EventTicket(line.key, line.item).delete()
    editing.forget_tickets(event_id, incarnation)


def _remove(item: UserItem, incarnation: str) -> None:
    """Remove a user's registration, unless it is for a later event of the same id."""
    try:
        item.delete(condition=UserItem.incarnation == incarnation)
    except DeleteError as error:
        if error.cause_response_code != writes.REFUSED:
            raise


def give_up_everything(user_id: str) -> None:
    """Give up every seat and every place in a queue that a user has, each handed on, and forget the user's history.

    Safe to repeat. Raises: `Unavailable`, with some of it done.
    """
    for item in active_items(user_id):
        try:
            seating.leave(item.event_id, user_id, scope=EVERYTHING)
        except RegistrationNotFound:
            locking.remove_leftover(item)
    for past in past_items(user_id):
        clearing.clear_of(past)
        history = EventTicket.key_of(past.event_id, past.incarnation, int(past.ticket or 0), cancelled=True)
        EventTicket(*history).delete()
        past.delete()
