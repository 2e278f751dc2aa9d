"""Notices in local runs: a thread beside `runserver` follows the stream, as a Lambda does on AWS.

Each notice is logged, and goes to the same outlets.
"""

import logging
import threading
from collections.abc import Sequence

from cloudevents.core.v1.event import CloudEvent
from django.conf import settings

from events.models import EventItem
from eventsite.dynamodb.connection import connection
from registrations.notices import words
from registrations.notices.outlets import chosen as outlets
from registrations.notices.stream import handler as stream
from registrations.notices.stream.changes import StreamRecord
from registrations.notices.stream.following import Following, NoStream

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Seconds between two reads of the stream."""
OUTAGE_SECONDS = 5.0

_stopped = threading.Event()


def start() -> threading.Thread | None:
    """Start a thread that follows the stream from now on.

    Returns:
        The thread; None, with a line in the log, if there is no stream.
    """
    try:
        following = _following()
    except NoStream as error:
        logger.warning("No notices: %s", error.sentence)
        return None
    except stream.OUTAGES as error:  # an engine other than ours may have no streams
        logger.warning("No notices: the stream of changes cannot be read (%s).", type(error).__name__)
        return None
    thread = threading.Thread(target=follow, args=(following, _stopped), name="notices", daemon=True)
    thread.start()
    return thread


def _following() -> Following:
    """Return a reader of the stream. A table of the embedded engine gets one if it has none yet."""
    try:
        return Following()
    except NoStream:
        if not settings.EMBEDDED_ENGINE:
            raise
        wanted = {"StreamEnabled": True, "StreamViewType": EventItem.Meta.stream_view_type}
        connection()._make_api_call("UpdateTable", {"TableName": settings.EVENTS_TABLE, "StreamSpecification": wanted})
        return Following()


def follow(following: Following, stopped: threading.Event) -> None:
    """Publish notices until `stopped` is set. Records that cannot be published yet are kept and tried again."""
    waiting: list[StreamRecord] = []
    while not stopped.is_set():
        try:
            waiting += following.new_records()
            waiting = _rest(waiting, stream.publish_records(waiting, publish))
        except stream.OUTAGES as error:
            logger.warning("The stream of changes does not answer: %s", type(error).__name__)
            stopped.wait(OUTAGE_SECONDS)
        stopped.wait(OUTAGE_SECONDS if waiting else LOOK_SECONDS)


def _rest(records: list[StreamRecord], failed: StreamRecord | None) -> list[StreamRecord]:
    return records[records.index(failed) :] if failed else []


def publish(notices: Sequence[CloudEvent]) -> None:
    """Log some notices and hand them to the outlets."""
    outlets.publish(notices)
    for notice in notices:
        logger.info("%s", words.line(notice))
