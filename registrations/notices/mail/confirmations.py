"""The mail that asks a user to confirm an address.

An address gets at most `A_DAY` of these mails a day, so that the service cannot be abused to mail strangers.
"""

import uuid

from django.conf import settings

from eventsite.dynamodb.daily_limit import take
from eventsite.text.mail_address import in_ascii, is_address
from registrations.notices import queue
from registrations.notices.occasions import Notice
from registrations.notices.queue import Task
from users.models import User

A_DAY = 3
CONFIRMATION_NOTICE = "user.confirmation"
"""A notice for mail only."""


def ask(user: User) -> None:
    """Put a confirmation mail into the queue, if the service sends mail and has pages.

    Raises:
        Unavailable: The queue does not answer. The user can enter the address again.
    """
    if not (settings.MAIL_FROM and settings.PUBLIC_URL):
        return
    notice = {"id": f"confirmation.{uuid.uuid4()}", "type": CONFIRMATION_NOTICE, "subject": user.user_id}
    queue.send([Task(queue.MAIL, notice | {"data": {"confirmation": user.confirmation}})])


def is_pending(user: User, notice: Notice) -> bool:
    """Return True if the address of the notice still has to be confirmed."""
    return bool(
        user.confirmation and user.confirmation == notice["data"]["confirmation"] and is_address(str(user.email))
    )


def is_within_limit(user: User, notice: Notice) -> bool:
    """Count a confirmation mail to an address, once for each notice. Return False if the limit of today is reached."""
    return take("confirmations", in_ascii(str(user.email)).lower(), A_DAY, notice["id"])
