"""Where notices go: what the settings choose, each by itself, so that one that is down holds up none of the others.

notices ──┬── queue ──┬── mail          one message for each notice that people are mailed about
          │           ├── webhooks      one message for each notice and each URL
          │           └── bus           what the bus did not take when it was new
          └── bus
"""

import json
from collections.abc import Iterable, Iterator

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.formats.json import JSONFormat
from django.conf import settings

from registrations.notices import history
from registrations.notices.occasions import Notice, concerns_people
from registrations.notices.outlets import attempts, bus, webhooks
from registrations.notices.queue import tasks as queue
from registrations.notices.queue.tasks import Task

queue.local.attempt = attempts.attempt


def publish(notices: Iterable[BaseCloudEvent]) -> None:
    """Hand notices to every outlet that is chosen.

    Raises: `Unavailable`: all of them must be published again. That harms nobody, because a notice keeps its id.
    """
    told = [as_json(notice) for notice in notices]
    queue.send(task for notice in told for task in _tasks(notice))
    if settings.NOTICE_BUS and not settings.LOCAL and (missed := bus.put(told)):
        queue.send(Task(queue.BUS, notice) for notice in missed)
    history.record(told)


def as_json(notice: BaseCloudEvent) -> Notice:
    """A notice as the JSON format of CloudEvents has it."""
    told: Notice = json.loads(JSONFormat().write(notice))
    return told


def _tasks(notice: Notice) -> Iterator[Task]:
    if settings.MAIL_FROM and concerns_people(notice):
        yield Task(queue.MAIL, notice)
    for url in settings.WEBHOOKS:
        yield Task(queue.WEBHOOK, notice, to=webhooks.name_of(url))
