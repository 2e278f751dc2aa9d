"""Deliver mail. Each user gets a mail at most once, also if its task is delivered again.

A notice of one user is one task of the queue. A notice of an event is split into pages of users first.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore import exceptions as errors
from django.conf import settings
from tenacity import Retrying, retry_if_exception_type, wait_random

from events.services import EventNotFound
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import time_left
from eventsite.errors import Unavailable
from eventsite.web import observability
from registrations.errors import RegistrationNotFound
from registrations.models import ACTIVE, UserRegistration
from registrations.notices import aws, history, occasions
from registrations.notices.mail import confirmations
from registrations.notices.mail.confirmations import CONFIRMATION_NOTICE
from registrations.notices.mail.sent_markers import Marker, Standing
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
ONE_SECONDS = 8.0  # seconds; with less time left, no mail is begun: SES may time out only after 7 s
TURN_SECONDS, TURNS = 2.0, 20
"""The longest wait in seconds of a mail that SES throttles, and the most waits."""
READ_AT_ONCE, CUT_AT_ONCE = 1000, 20_000
"""Users of one query, and of one task. Another task continues."""
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
        return _confirmation(task)
    occasion = occasions.occasion_of(task.notice)
    if occasion is None:
        return []
    people = task.people or tuple(filter(None, [task.notice.get("subject")]))
    if not people:
        return list(_pages(task))
    if len(people) > 1:
        return list(_each(task, occasion, people))
    if time_left() < ONE_SECONDS or not _mail(task.notice, occasion, people[0]):
        raise RetryLater("the mail was not taken")
    return []


def _each(task: Task, occasion: Occasion, people: tuple[str, ...]) -> Iterator[Task]:
    """Mail the users of a page. Yield a task for each user who cannot be mailed now.

    Raises:
        RetryLater: The time is up. The next attempt skips the users who were mailed.
    """
    for user_id in people:
        if time_left() < ONE_SECONDS:
            raise RetryLater("there was no time for all of them")
        try:
            is_over = _mail(task.notice, occasion, user_id)
        except Exception:  # the task of this user reports it
            is_over = False
        if not is_over:
            yield replace(task, people=(user_id,))


def _pages(task: Task) -> Iterator[Task]:
    """Yield tasks for pages of users with a status, and one to continue if there are too many."""
    after: int | None = task.after or None
    if task.notice["type"] == occasions.MESSAGE_NOTICE and not after:
        history.record_message(task.notice)
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


def _mail(notice: Notice, occasion: Occasion, user_id: str) -> bool:
    """Mail one user, once. Return False if the mail has to be tried again."""
    user = _recipient(notice, occasion, user_id)
    if user is None:
        return True
    if occasion.kind == occasions.WAITING:
        place = _place(occasion.event.event_id, user_id)
        if not place:
            return True  # the mail about the seat is sent instead
        occasion = replace(occasion, place=place)
    from registrations.notices.mail import messages

    mail = messages.compose(occasion, user, notice["id"], _reply_to(notice))
    marker = Marker(notice["id"], user_id)
    return _claim_and_send(mail, marker, lambda: history.record_mail(notice, occasion.kind, user_id))


def _claim_and_send(mail: "Mail", marker: Marker, note: Callable[[], None] = lambda: None) -> bool:
    """Send a mail, unless its marker belongs to another attempt. Return False if it has to be tried again."""
    standing = marker.claim()
    if standing is Standing.OURS:
        return _send_once(mail, marker, note)
    if standing is Standing.DOUBTFUL:
        _doubt(marker.change)
    return standing is not Standing.UNDER_WAY


def _recipient(notice: Notice, occasion: Occasion, user_id: str) -> User | None:
    """Return the user to mail, or None if the user does not want the mail or cannot be reached.

    No user whose registration has ended is mailed, and no user who signed up too late for a reminder is reminded.
    """
    key = UserRegistration.key_of(notice["data"]["eventId"], user_id)
    user: User | None
    user, registration = batch_get((User, user_id), (UserRegistration, *key), consistent=True)
    if user is None or not user.is_reachable or not (user.notify or occasion.kind in occasions.WITHOUT_ASKING):
        return None
    if occasion.kind == occasions.DELETED:
        return user
    ticket = notice["data"].get("ticket")
    if not _is_in(registration, ticket):
        return None
    since = notice["data"]["since"] if occasion.kind == occasions.REMINDER else None
    signed_up_late = since and registration is not None and str(registration.registered_at) >= since
    return None if signed_up_late else user


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


def _confirmation(task: Task) -> list[Task]:
    """Send the mail that asks a user to confirm an address, if that is still pending."""
    user = User.find(task.notice["subject"])
    if user is None or not confirmations.is_pending(user, task.notice):
        return []
    if not confirmations.is_within_limit(user, task.notice):
        observability.count("ConfirmationsRefused")
        return []
    from registrations.notices.mail import messages

    mail = messages.compose_confirmation(user, confirming.url_for(user), task.notice["id"])
    if time_left() < ONE_SECONDS or not _claim_and_send(mail, Marker(task.notice["id"], user.user_id)):
        raise RetryLater("the mail was not taken")
    return []


def _send_once(mail: "Mail", marker: Marker, note: Callable[[], None]) -> bool:
    try:
        _send_in_turn(mail)
    except NotSent:
        observability.count("MailsFailed")
        with suppress(Unavailable):
            marker.release()
        return False
    except PerhapsSent:
        _doubt(marker.change)
        return True
    observability.count("MailsSent")
    with suppress(Unavailable):
        marker.keep()
    note()
    return True


def _doubt(change: str) -> None:
    logger.warning("a mail is in doubt", extra={"notice": change})
    observability.count("MailsInDoubt")


class NotSent(Exception):
    """SES did not accept the mail."""


class Throttled(NotSent):
    """SES accepts no more mails this second."""


class PerhapsSent(Exception):
    """SES did not answer. The mail may have been sent."""


THROTTLING = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
NEVER_ARRIVED = (
    errors.ConnectTimeoutError,
    errors.EndpointConnectionError,
    errors.ParamValidationError,
    errors.ProxyConnectionError,
    errors.SSLError,
)


def _send_in_turn(mail: "Mail") -> None:
    """Send a mail as soon as SES accepts it.

    Mails wait here, not in the queue. So each attempt of a page sends some of its mails, and a few attempts are enough
    at any rate of SES.

    Raises:
        Throttled: The time is up.
        NotSent: As in `send`.
        PerhapsSent: As in `send`.
    """
    Retrying(
        retry=retry_if_exception_type(Throttled),
        wait=wait_random(0, TURN_SECONDS),
        stop=lambda state: state.attempt_number >= TURNS or time_left() < ONE_SECONDS + TURN_SECONDS,
        reraise=True,
    )(send, mail)


def send(mail: "Mail") -> None:
    """Send a mail by SES, or write it to a file in a local run.

    Raises:
        NotSent: SES did not accept it.
        PerhapsSent: SES did not answer.
    """
    if settings.LOCAL:
        _keep(mail)
        return
    reporting: dict[str, Any] = {}
    if settings.MAIL_CONFIGURATION_SET:  # without one, SES neither reports bounces nor accepts tags
        tags = [{"Name": name, "Value": value} for name, value in mail.tags.items()]
        reporting = {"ConfigurationSetName": settings.MAIL_CONFIGURATION_SET, "EmailTags": tags}
    try:
        aws.client("sesv2").send_email(
            FromEmailAddress=settings.MAIL_FROM,
            Destination={"ToAddresses": [mail.recipient]},
            Content={"Raw": {"Data": mail.as_bytes()}},
            **reporting,
        )
    except errors.ClientError as error:
        raise (Throttled if error.response["Error"].get("Code") in THROTTLING else NotSent) from error
    except NEVER_ARRIVED as error:
        raise NotSent from error
    except errors.HTTPClientError as error:
        raise PerhapsSent from error
    except errors.BotoCoreError as error:  # before anything was sent: no credentials, no region
        raise NotSent from error


def _keep(mail: "Mail") -> None:
    directory = settings.LOCAL_DYNAMODB_DIR / "mail"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # mails are private
    name = f"{clock.now().replace(':', '')}-{mail['Message-ID'].strip('<>').partition('@')[0]}"
    draft = directory / f".{name}"
    draft.write_bytes(mail.as_bytes())
    draft.rename(directory / f"{name}.eml")
