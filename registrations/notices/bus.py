"""Notices on an EventBridge bus: the whole CloudEvent is the `detail`, its type the `detail-type`."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from zlib import crc32

from django.conf import settings

from eventsite.web import observability
from registrations.notices import aws
from registrations.notices.occasions import Notice
from registrations.notices.queue import RetryLater, Task

SOURCE = "eventsite"
AT_ONCE = 10
LANES = 8


def deliver(task: Task) -> list[Task]:
    """Put a notice on the bus again that the bus did not take at first."""
    if put([task.notice]):
        raise RetryLater("the bus does not take it")
    return []


def put(notices: Sequence[Notice]) -> list[Notice]:
    """Put notices on the bus, and return those that it did not take.

    The notices of one user, and those of one event itself, stay in order.
    """
    lanes: dict[int, list[Notice]] = {}
    for notice in notices:
        subject = f"{notice['source']} {notice.get('subject', '')}"
        lanes.setdefault(crc32(subject.encode()) % LANES, []).append(notice)
    if not lanes:
        return []
    with ThreadPoolExecutor(len(lanes)) as threads:
        missed = [notice for lane in threads.map(_put_in_order, lanes.values()) for notice in lane]
    if missed:
        observability.count("BusFailed", len(missed))
    return missed


def _put_in_order(notices: list[Notice]) -> list[Notice]:
    """Put notices batch by batch until the bus does not answer. Return those that were not taken."""
    for start in range(0, len(notices), AT_ONCE):
        if left := aws.send_batch(notices[start : start + AT_ONCE], _put):
            return left + notices[start + AT_ONCE :]
    return []


def _put(notices: list[Notice]) -> list[Notice]:
    answer = aws.client("events").put_events(Entries=[_entry(notice) for notice in notices])
    return [notice for notice, said in zip(notices, answer["Entries"], strict=True) if said.get("ErrorCode")]


def _entry(notice: Notice) -> dict[str, Any]:
    return {
        "EventBusName": settings.NOTICE_BUS,
        "Source": SOURCE,
        "DetailType": notice["type"],
        "Time": datetime.fromisoformat(notice["time"]),
        "Detail": json.dumps(notice, ensure_ascii=False),
    }
