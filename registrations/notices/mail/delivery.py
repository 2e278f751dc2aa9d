"""Deliver mail. Each user gets a mail at most once, also if its task is delivered again.

A notice of one user is one task of the queue. A notice of an event is split into pages of users first.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from events.services import EventNotFound
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.daily_limit import take
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import time_left
from eventsite.errors import Unavailable
from eventsite.text.mail_address import in_ascii, is_address
from eventsite.web import observability
from registrations.errors import RegistrationNotFound
from registrations.models import ACTIVE, UserRegistration
from registrations.notices import history, occasions
from registrations.notices.mail import ses
from registrations.notices.mail.confirmations import A_DAY, CONFIRMATION_NOTICE
from registrations.notices.mail.sent_markers import MailMarker, Standing
from registrations.notices.occasions import Notice, Occasion
from registrations.notices.queue import RetryLater, Task
from registrations.reading import lists
from registrations.reading import one as reading
from users import confirming
from users.models import User

if TYPE_CHECKING:
    from registrations.notices.mail.messages import Mail

logger = logging.getLogger(__name__)

AT_ONCE = 20  # users of a page; at a tenth of a second for each mail, it takes two seconds
READ_AT_ONCE, CUT_AT_ONCE = 1000, 20_000  # users of one query, and of one task; another task continues
CUTTING_SECONDS = 15.0  # seconds; with less time left, another task continues: the pages must still be sent


def deliver(task: Task) -> list[Task]:
    """Mail the users of a task, or split it into tasks for pages of users.

    Returns:
        The remaining tasks.

    Raises:
        RetryLater: The mail cannot be sent now.
        Unavailable: DynamoDB does not answer.
    """
    if task.notice["type"] == CONFIRMATION_NOTICE:
        _confirm(task.notice)
        return []
    occasion = occasions.occasion_of(task.notice)
    if occasion is None:
        return []
    people = task.people or tuple(filter(None, [task.notice.get("subject")]))
    if not people:
        return list(_pages(task))
    if len(people) > 1:
        return list(_each(task, occasion, people))
    _mail(task.notice, occasion, people[0])
    return []


def _each(task: Task, occasion: Occasion, people: tuple[str, ...]) -> Iterator[Task]:
    """Mail the users of a page. Yield a task for each user who cannot be mailed now.

    Raises:
        RetryLater: The time is up. The next attempt skips the users who were mailed.
    """
    for user_id in people:
        if time_left() < ses.ONE_SECONDS:
            raise RetryLater("there was no time for all of them")
        try:
            _mail(task.notice, occasion, user_id)
        except Exception:  # the task of this user reports it
            yield replace(task, people=(user_id,))


def _pages(task: Task) -> Iterator[Task]:
    """Yield tasks for pages of users with a status, and one to continue if there are too many."""
    after: int | None = task.after or None
    if task.notice["type"] == occasions.MESSAGE_NOTICE and not after:
        history.record([task.notice])
    event_id, status = task.notice["data"]["eventId"], task.to or ACTIVE
    for look in range(CUT_AT_ONCE // READ_AT_ONCE):
        if look and time_left() < CUTTING_SECONDS:
            break
        try:
            found, after = lists.of_event(event_id, scope=EVERYTHING, status=status, limit=READ_AT_ONCE, after=after)
        except EventNotFound:  # its users get a mail about the deletion
            return
        ids = [registration.user_id for registration in found]
        for start in range(0, len(ids), AT_ONCE):
            yield replace(task, people=tuple(ids[start : start + AT_ONCE]), after=0)
        if after is None:
            return
    if after:
        yield replace(task, after=after)


def _mail(notice: Notice, occasion: Occasion, user_id: str) -> None:
    key = UserRegistration.key_of(notice["data"]["eventId"], user_id)
    user: User | None
    user, registration = batch_get((User, user_id), (UserRegistration, *key), consistent=True)
    if user is None or not _is_meant(notice, occasion, user, registration):
        return
    if registration is not None and "ticket" not in notice["data"]:
        occasion = replace(occasion, is_waiting=registration.ticket > occasion.seated_through)
    if occasion.kind == occasions.WAITING:
        occasion = replace(occasion, place=_place(occasion.event.event_id, user_id))
        if not occasion.place:
            return  # the mail about the seat is sent instead
    from registrations.notices.mail import messages

    mail = messages.compose(occasion, user, notice["id"], _reply_to(notice))
    if _is_sent(mail, notice["id"], user_id):
        history.record_mail(notice, occasion.kind, user_id)


def _is_meant(notice: Notice, occasion: Occasion, user: User, registration: UserRegistration | None) -> bool:
    """Return True if a user wants the mail and can be reached.

    No user whose registration has ended is mailed, and no user who signed up too late for a reminder is reminded.
    """
    if not user.is_reachable or not (user.notify or occasion.kind in occasions.WITHOUT_ASKING):
        return False
    if occasion.kind == occasions.DELETED:
        return True
    if registration is not None and registration.incarnation != occasion.event.incarnation:
        registration = None  # it is for an earlier event of the id
    if not _is_in(registration, notice["data"].get("ticket")):
        return False
    since = notice["data"].get("since")  # of a reminder
    return not (since and registration is not None and str(registration.registered_at) >= since)


def _is_in(registration: UserRegistration | None, ticket: int | None) -> bool:
    """Return True if the user still has the ticket, or any ticket if it is None.

    A registration that is not written yet counts.
    """
    if ticket is None or (registration is not None and registration.ticket == ticket):
        return registration is not None and registration.active
    return registration is None or registration.ticket < ticket


def _place(event_id: str, user_id: str) -> int:
    """Return the current waitlist position of a user, or 0 if the user does not wait."""
    try:
        return reading.read(event_id, user_id, scope=EVERYTHING).position or 0
    except RegistrationNotFound:
        return 0


def _reply_to(notice: Notice) -> User | None:
    """Return the organizer who gets the replies to a message."""
    organizer = User.find(notice["data"].get("by") or "") if notice["type"] == occasions.MESSAGE_NOTICE else None
    return organizer if organizer and organizer.is_reachable else None


def _confirm(notice: Notice) -> None:
    """Send the mail that asks a user to confirm an address, if that is still pending."""
    user = User.find(notice["subject"])
    if user is None or user.confirmation != notice["data"]["confirmation"] or not is_address(str(user.email)):
        return
    if not take("confirmations", in_ascii(str(user.email)).lower(), A_DAY, notice["id"]):
        observability.count("ConfirmationsRefused")
        return
    from registrations.notices.mail import messages

    mail = messages.compose_confirmation(user, confirming.url_for(user), notice["id"])
    _is_sent(mail, notice["id"], user.user_id)


def _is_sent(mail: "Mail", change: str, user_id: str) -> bool:
    """Send a mail about the notice with the id `change`, unless another attempt sends it. Return True if it is sent.

    Raises:
        RetryLater: It has to be tried again.
    """
    marker = MailMarker.of(change, user_id)
    if time_left() < ses.ONE_SECONDS or (standing := marker.claim()) is Standing.UNDER_WAY:
        raise RetryLater("the mail was not taken")
    if standing is Standing.DOUBTFUL:
        _doubt(change)
    if standing is not Standing.OURS:
        return False
    try:
        ses.send_in_turn(mail)
    except ses.NotSent as error:
        observability.count("MailsFailed")
        with suppress(Unavailable):
            marker.release()
        raise RetryLater("the mail was not taken") from error
    except ses.PerhapsSent:
        _doubt(change)
        return False
    observability.count("MailsSent")
    with suppress(Unavailable):
        marker.keep()
    return True


def _doubt(change: str) -> None:
    logger.warning("a mail is in doubt", extra={"notice": change})
    observability.count("MailsInDoubt")
