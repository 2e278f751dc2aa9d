"""E-mail to people: each is told once, whatever comes twice and whatever fails.

Of each notice that concerns people one task comes out of the queue. One about an event is cut into pages of people
first.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ParamValidationError,
    ProxyConnectionError,
    SSLError,
)
from django.conf import settings
from tenacity import Retrying, retry_if_exception_type, wait_random

from events.services import EventNotFound
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import time_left
from eventsite.errors import Unavailable
from eventsite.text.mail_address import is_address
from eventsite.web import observability
from registrations.models import ACTIVE, ActiveItem
from registrations.notices import aws
from registrations.notices.occasions import DELETED, Notice, Occasion, occasion_of
from registrations.notices.outlets.mail.sent_markers import Marker, Standing
from registrations.notices.queue.tasks import RetryLater, Task
from registrations.reading import lists
from users.models import User

if TYPE_CHECKING:
    from registrations.notices.outlets.mail.messages import Letter

logger = logging.getLogger(__name__)

AT_ONCE = 20
"""So many people make a page: at a tenth of a second for each mail, two seconds."""
ONE_SECONDS = 8.0
"""With less time left, no mail is begun: SES may take seven seconds to say nothing."""
TURN_SECONDS, TURNS = 2.0, 20
"""How long a mail that SES takes no more waits for its turn at most, and how often."""
READ_AT_ONCE, CUT_AT_ONCE = 1000, 20_000
"""So many people are read in one look, and so many by one task; another one continues."""
CUTTING_SECONDS = 15.0
"""With less time left, another one continues as well: what was cut must still be sent."""


def carry(task: Task) -> list[Task]:
    """Mail the people of a task, or cut it into tasks for pages of people.

    Returns: the tasks that are left. Raises: `RetryLater`, `Unavailable`.
    """
    occasion = occasion_of(task.notice)
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
    """Mail the people of a page. Yields a task for each who cannot be mailed now.

    Raises: `RetryLater` when time is up: next time, those who were mailed are passed over.
    """
    for user_id in people:
        if time_left() < ONE_SECONDS:
            raise RetryLater("there was no time for all of them")
        try:
            is_over = _mail(task.notice, occasion, user_id)
        except Exception:  # their own task will tell
            is_over = False
        if not is_over:
            yield replace(task, people=(user_id,))


def _pages(task: Task) -> Iterator[Task]:
    """Tasks for pages of everybody who has a seat or waits, and one that continues where there are too many."""
    after: int | None = task.after or None
    event_id = task.notice["data"]["eventId"]
    for look in range(CUT_AT_ONCE // READ_AT_ONCE):
        if look and time_left() < CUTTING_SECONDS:
            break
        try:
            found, after = lists.of_event(event_id, scope=EVERYTHING, status=ACTIVE, limit=READ_AT_ONCE, after=after)
        except EventNotFound:  # and whoever was in is told so
            return
        ids = [registration.user_id for registration in found]
        for start in range(0, len(ids), AT_ONCE):
            yield replace(task, people=tuple(ids[start : start + AT_ONCE]), after=0)
        if after is None:
            return
    if after:
        yield replace(task, after=after)


def _mail(notice: Notice, occasion: Occasion, user_id: str) -> bool:
    """Mail one person, once. Returns: False where that is to be tried again."""
    user = _recipient(notice, occasion, user_id)
    if user is None:
        return True
    from registrations.notices.outlets.mail import messages

    letter = messages.compose(occasion, user, notice["id"])
    marker = Marker(notice["id"], user_id)
    standing = marker.claim()
    if standing is Standing.OURS:
        return _send_once(letter, marker)
    if standing is Standing.DOUBTFUL:
        _doubt(notice["id"])
    return standing is not Standing.UNDER_WAY


def _recipient(notice: Notice, occasion: Occasion, user_id: str) -> User | None:
    """Who is to be mailed; None where they have no address, do not want it, or have left meanwhile."""
    key = ActiveItem.key_of(notice["data"]["eventId"], user_id)
    user, registration = batch_get((User, user_id), (ActiveItem, *key), consistent=True)
    if user is None or not user.email or not user.notify or not is_address(user.email):
        return None
    ticket = notice["data"].get("ticket")
    is_in = registration is not None and registration.ticket in (None, ticket or registration.ticket)
    return user if is_in or occasion.kind == DELETED else None


def _send_once(letter: "Letter", marker: Marker) -> bool:
    try:
        _send_in_turn(letter)
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
    return True


def _doubt(change: str) -> None:
    logger.warning("a mail is in doubt", extra={"notice": change})
    observability.count("MailsInDoubt")


class NotSent(Exception):
    """SES did not take it."""


class Throttled(NotSent):
    """SES takes no more this second."""


class PerhapsSent(Exception):
    """SES did not answer."""


THROTTLING = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
NEVER_ARRIVED = (ConnectTimeoutError, EndpointConnectionError, ParamValidationError, ProxyConnectionError, SSLError)


def _send_in_turn(letter: "Letter") -> None:
    """Send a letter as soon as SES takes it. Raises: as `send`; `Throttled` when time is up.

    They wait here, not in the queue: a page that gets some of its mails out each time it comes up is done after a few
    times, however slowly SES takes them.
    """
    Retrying(
        retry=retry_if_exception_type(Throttled),
        wait=wait_random(0, TURN_SECONDS),
        stop=lambda state: state.attempt_number >= TURNS or time_left() < ONE_SECONDS + TURN_SECONDS,
        reraise=True,
    )(send, letter)


def send(letter: "Letter") -> None:
    """Send a letter by SES; in a local run keep it as a file. Raises: `NotSent`, `PerhapsSent`."""
    if settings.LOCAL:
        _keep(letter)
        return
    try:
        aws.client("sesv2").send_email(
            FromEmailAddress=settings.MAIL_FROM,
            Destination={"ToAddresses": [letter.recipient]},
            Content={"Raw": {"Data": letter.as_bytes()}},
        )
    except ClientError as error:
        raise (Throttled if error.response["Error"].get("Code") in THROTTLING else NotSent) from error
    except NEVER_ARRIVED as error:
        raise NotSent from error
    except HTTPClientError as error:
        raise PerhapsSent from error
    except BotoCoreError as error:  # before anything was sent: no credentials, no region
        raise NotSent from error


def _keep(letter: "Letter") -> None:
    directory = settings.LOCAL_DYNAMODB_DIR / "mail"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # mails are nobody else's business
    name = f"{clock.now().replace(':', '')}-{letter['Message-ID'].strip('<>').partition('@')[0]}"
    draft = directory / f".{name}"
    draft.write_bytes(letter.as_bytes())
    draft.rename(directory / f"{name}.eml")
