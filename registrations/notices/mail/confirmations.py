"""The mail that asks a user to confirm an address.

An address gets at most `A_DAY` of these mails a day, so that the service cannot be abused to mail strangers.
"""

import uuid

from django.conf import settings

from registrations.notices import queue
from registrations.notices.queue import Task
from users.models import User

A_DAY = 3
CONFIRMATION_NOTICE = "user.confirmation"  # for mail only


def ask(user: User) -> None:
    """Put a confirmation mail into the queue, if the service sends mail and has pages.

    Raises:
        Unavailable: The queue does not answer. The user can enter the address again.
    """
    if not (settings.MAIL_FROM and settings.PUBLIC_URL):
        return
    notice = {"id": f"confirmation.{uuid.uuid4()}", "type": CONFIRMATION_NOTICE, "subject": user.user_id}
    queue.send([Task(queue.MAIL, notice | {"data": {"confirmation": user.confirmation}})])
