"""The mail that asks a person to confirm an address that was entered.

Nobody can make the service mail a stranger more than that: an address gets at most `A_DAY` of these mails a day.
"""

import uuid

from django.conf import settings

from eventsite.dynamodb.daily_limit import take
from eventsite.text.mail_address import in_ascii, is_address
from registrations.notices.occasions import Notice
from registrations.notices.queue import tasks as queue
from registrations.notices.queue.tasks import Task
from users.models import User

A_DAY = 3
CONFIRMATION_NOTICE = "user.confirmation"
"""A notice that only mail knows."""


def ask(user: User) -> None:
    """Put a confirmation mail into the queue, if the service sends mail and has pages.

    Raises:
        Unavailable: If the queue does not answer. The user can enter the address again.
    """
    if not (settings.MAIL_FROM and settings.PUBLIC_URL):
        return
    notice = {"id": f"confirmation.{uuid.uuid4()}", "type": CONFIRMATION_NOTICE, "subject": user.user_id}
    queue.send([Task(queue.MAIL, notice | {"data": {"confirmation": user.confirmation}})])


def is_pending(user: User, notice: Notice) -> bool:
    """Return whether the address of a user still has to be confirmed by what a notice asked for."""
    return bool(
        user.confirmation and user.confirmation == notice["data"]["confirmation"] and is_address(str(user.email))
    )


def is_within_limit(user: User, notice: Notice) -> bool:
    """Count a confirmation mail to an address. Returns: False if it got as many today as it may get.

    The same notice counts once, however often it is delivered.
    """
    return take("confirmations", in_ascii(str(user.email)).lower(), A_DAY, notice["id"])
