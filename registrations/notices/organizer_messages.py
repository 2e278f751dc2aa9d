"""Messages of organizers to the people of an event, mailed once to each, at most five a day."""

import uuid

from django.conf import settings

from events import services
from eventsite import clock
from eventsite.auth.scope import Scope
from eventsite.dynamodb.daily_limit import take
from eventsite.dynamodb.idempotency import Announced, IdempotentRequest
from eventsite.dynamodb.steps import run
from eventsite.errors import LimitReached, Refused
from registrations import models
from registrations.notices import queue
from registrations.notices.occasions import MESSAGE_NOTICE
from registrations.notices.queue import Task

A_DAY = 5
NO_ONE = "There is no one to write to."


class MailIsOff(Refused):
    code = "mail_is_off"
    detail = "This service does not send mail, so there is no way to write to people."


class TooManyMessages(LimitReached):
    code = "too_many_messages"
    detail = f"At most {A_DAY} messages a day for an event. Write again tomorrow (UTC)."


def send(
    event_id: str,
    *,
    subject: str,
    text: str,
    to: str,
    by: str | None,
    scope: Scope,
    keyed: IdempotentRequest | None = None,
) -> bool:
    """Put a message to the people of an event into the queue, once for all copies of a keyed request.

    The recipients have the status `to`, or any status. The organizer `by` gets the replies, or the owner if the
    service has no sign-in. Return False if there are no recipients.

    Raises:
        EventNotFound: There is no such event, or it is hidden from the caller.
        EventNotYours: The caller does not organize it.
        MailIsOff: The service sends no mail.
        TooManyMessages: The event has sent five messages today.
        KeyReused: The key belongs to a different request.
    """
    event, seats = services.read(event_id, scope=scope)
    services.check_access(event, scope)
    if not settings.MAIL_FROM:
        raise MailIsOff
    message_id = str(uuid.uuid4())
    earlier = run(keyed.begin(message_id)) if keyed else None
    if isinstance(earlier, Announced):  # that copy may have crashed; each user is mailed once about one id
        message_id = earlier.operations[0]
    elif earlier:
        return True
    registered, waiting = int(seats.registered), int(seats.waiting)
    recipients = {models.REGISTERED: registered, models.WAITLISTED: waiting}.get(to, registered + waiting)
    if not recipients:
        return False
    if not take("messages", f"{event_id} {event.incarnation}", A_DAY, message_id):
        raise TooManyMessages
    data = {"eventId": event_id, "subject": subject, "text": text, "by": by or event.organizer_id}
    notice_id = f"{event_id}.{event.incarnation}.{message_id}.message"
    notice = {"id": notice_id, "type": MESSAGE_NOTICE, "time": clock.now(), "data": data}
    queue.send([Task(queue.MAIL, notice, to="" if to == models.EVERYBODY else to)])
    if keyed:
        run(keyed.finish({"sent": message_id}))
    return True
