"""The outlets of the settings. An outlet that is down does not delay the others.

notices ──┬── queue ──┬── mail          one message for each notice that is mailed
          │           ├── webhooks      one message for each notice and each URL
          │           └── bus           notices that the bus refused at first
          ├── bus
          └── history
"""

import json
from collections.abc import Iterable, Iterator

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.formats.json import JSONFormat
from django.conf import settings

from registrations.notices import bus, history, queue, webhooks
from registrations.notices.occasions import Notice, kind_of
from registrations.notices.queue import Task


def publish(notices: Iterable[BaseCloudEvent]) -> None:
    """Send notices to every chosen outlet.

    Raises:
        Unavailable: All of them must be published again. That is safe, because a notice keeps its id.
    """
    documents = [as_json(notice) for notice in notices]
    queue.send(task for notice in documents for task in _tasks(notice))
    if settings.NOTICE_BUS and not settings.LOCAL and (missed := bus.put(documents)):
        queue.send(Task(queue.BUS, notice) for notice in missed)
    history.record(documents)


def as_json(notice: BaseCloudEvent) -> Notice:
    """Return a notice in the JSON format of CloudEvents."""
    document: Notice = json.loads(JSONFormat().write(notice))
    return document


def _tasks(notice: Notice) -> Iterator[Task]:
    if settings.MAIL_FROM and kind_of(notice):
        yield Task(queue.MAIL, notice)
    for url in settings.WEBHOOKS:
        yield Task(queue.WEBHOOK, notice, to=webhooks.name_of(url))
