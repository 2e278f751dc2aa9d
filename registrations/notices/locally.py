"""Notices in local runs: threads beside `runserver` do what Lambdas do on AWS.

One executes the tasks of the queue, one reminds people, and one follows the stream and logs each notice.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from events.models import EventItem
from eventsite.dynamodb.connection import connection
from registrations.notices import attempts, outlets, queue, reminders, words
from registrations.notices.occasions import Notice
from registrations.notices.stream import handler as stream
from registrations.notices.stream.changes import StreamRecord
from registrations.notices.stream.following import Following, NoStream

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5  # between two reads of the stream
OUTAGE_SECONDS = 5.0
REMINDER_SECONDS = 60.0


def start() -> None:
    """Start the threads. A table without a stream has no notices; the log shows the reason."""
    _in_a_thread(queue.local.execute, attempts.attempt)
    _in_a_thread(_remind)
    try:
        _in_a_thread(_follow, _following())
    except NoStream as error:
        logger.warning("No notices: %s", error.sentence)
    except queue.OUTAGES as error:  # an engine other than ours may have no streams
        logger.warning("No notices: the stream of changes cannot be read (%s).", type(error).__name__)


def _in_a_thread(function: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=function, args=arguments, name=function.__name__, daemon=True).start()


def _following() -> Following:
    """Return a reader of the stream from now on. A table of the embedded engine gets a stream if it has none yet."""
    try:
        return Following()
    except NoStream:
        if not settings.EMBEDDED_ENGINE:
            raise
        wanted = {"StreamEnabled": True, "StreamViewType": EventItem.Meta.stream_view_type}
        connection()._make_api_call("UpdateTable", {"TableName": settings.EVENTS_TABLE, "StreamSpecification": wanted})
        return Following()


def _follow(following: Following) -> None:
    """Publish notices. Records that cannot be published yet are kept and tried again."""
    waiting: list[StreamRecord] = []
    while True:
        try:
            waiting += following.new_records()
            failed = stream.publish_records(waiting, _publish)
            waiting = waiting[waiting.index(failed) :] if failed else []
        except queue.OUTAGES as error:
            logger.warning("The stream of changes does not answer: %s", type(error).__name__)
            time.sleep(OUTAGE_SECONDS)
        time.sleep(OUTAGE_SECONDS if waiting else LOOK_SECONDS)


def _publish(notices: Sequence[Notice]) -> None:
    outlets.publish(notices)
    for notice in notices:
        logger.info("%s", words.line(notice))


def _remind() -> None:
    while True:
        try:
            reminders.remind()
        except queue.OUTAGES as error:
            logger.warning("No reminders for now: %s", type(error).__name__)
        time.sleep(REMINDER_SECONDS)
