"""The outlets of the settings. An outlet that is down does not delay the others.

notices ──┬── queue ──┬── mail          one message for each notice that is mailed
          │           ├── webhooks      one message for each notice and each URL
          │           └── bus           notices that the bus refused at first
          ├── bus
          └── history
"""

from collections.abc import Iterator, Sequence

from django.conf import settings

from registrations.notices import bus, history, queue, webhooks
from registrations.notices.occasions import Notice, kind_of
from registrations.notices.queue import Task


def publish(notices: Sequence[Notice]) -> None:
    """Send notices to every chosen outlet.

    Raises:
        Unavailable: All of them must be published again. That is safe, because a notice keeps its id.
    """
    queue.send(task for notice in notices for task in _tasks(notice))
    if settings.NOTICE_BUS and not settings.LOCAL and (missed := bus.put(notices)):
        queue.send(Task(queue.BUS, notice) for notice in missed)
    history.record(notices)


def _tasks(notice: Notice) -> Iterator[Task]:
    if settings.MAIL_FROM and kind_of(notice):
        yield Task(queue.MAIL, notice)
    for url in settings.WEBHOOKS:
        yield Task(queue.WEBHOOK, notice, to=webhooks.name_of(url))
