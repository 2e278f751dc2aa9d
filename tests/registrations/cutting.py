"""Crashed requests: the process ends right after one of the steps."""

from collections.abc import Callable
from typing import Any

from events.ledger.models import Seats
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.steps import EXECUTORS, Now, Steps, Transact, Update
from registrations.seating.leave import leave
from registrations.seating.operations import Memory, Request
from registrations.seating.register import register


def is_commit(step: Any) -> bool:
    """Return whether a step commits an operation to the log of the seats."""
    return isinstance(step, Update) and isinstance(step.record, Seats)


def is_apply(step: Any) -> bool:
    """Return whether a step applies an operation."""
    return isinstance(step, Transact) and "row" in step.parts


def execute(steps: Steps[Any], *, until: Callable[[Any], bool], at: str | None = None) -> None:
    """Run a rule up to and including the first step of some kind, as if its process crashed then.

    Args:
        steps: The rule.
        until: The last step.
        at: The time on the clock of its server.
    """
    outcome: Any = None
    while True:
        step = steps.send(outcome)
        outcome = at if at and isinstance(step, Now) else EXECUTORS[type(step)](step)
        if until(step):
            steps.close()
            return


def by_the_log(event_id: str, user_id: str, **options: Any) -> Request:
    """Return a request that uses the log, and does not try one transaction first."""
    return Request(event_id, user_id, EVERYTHING, memory=Memory(), at_once=False, **options)


def cut_off_joining(event_id: str, user_id: str, *, at: str | None = None, **options: Any) -> None:
    """Leave a registration that is committed and not applied."""
    execute(register(by_the_log(event_id, user_id, **options)), until=is_commit, at=at)


def cut_off_leaving(event_id: str, user_id: str, *, at: str | None = None) -> None:
    """Leave a cancellation that is committed and not applied."""
    execute(leave(by_the_log(event_id, user_id)), until=is_commit, at=at)
