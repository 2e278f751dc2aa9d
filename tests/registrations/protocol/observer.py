"""The monitors of the search as numbers, so that each write and each answer is judged once."""

from typing import Any

from events.ledger.models import Seats
from registrations.models import UserRegistration
from tests.registrations.protocol.automata import Numbers
from tests.registrations.protocol.monitor import Monitor
from tests.registrations.protocol.scene import EVENT, SEATS_KEY, check_rest
from tests.registrations.protocol.snapshots import Items, Snapshots
from tests.registrations.protocol.store import Key, thawed
from users.models import User


class Observer:
    """Lets a monitor follow the steps of the search. The methods return the number of the monitor afterwards.

    Args:
        snapshots: The contents of the store.
    """

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._monitors = Numbers()
        self._after: dict[tuple[Any, ...], int] = {}
        self._fine: set[tuple[int, int]] = set()

    def begin(self, scenario: Any) -> int:
        """Return the monitor of a scenario."""
        return self._monitors.of(Monitor.begin(scenario))

    def began(self, monitor: int, index: int) -> int:
        """Follow a step of a request, which may be its first one."""
        known = self._after.get((monitor, index))
        if known is None:
            known = self._after[monitor, index] = self._monitors.of(self._monitor(monitor).began(index))
        return known

    def answered(self, monitor: int, index: int, answer: Any, step: Any) -> int:
        """Judge the answer of a request.

        Raises:
            Broken: The answer is wrong.
        """
        what = monitor, index, answer
        known = self._after.get(what)
        if known is None:
            known = self._after[what] = self._monitors.of(self._monitor(monitor).answered(index, answer, step))
        return known

    def wrote(self, monitor: int, index: int, before: int, after: int, step: Any) -> int:
        """Judge a write, which changed the contents of the store.

        Raises:
            Broken: The reference would not make this step.
        """
        if before == after:
            return monitor
        what = monitor, index, before, after
        known = self._after.get(what)
        if known is None:
            begun = self._monitor(self.began(monitor, index))
            earlier, later = self._snapshots.items(before), self._snapshots.items(after)
            known = self._after[what] = self._monitors.of(_following(begun, index, earlier, later, step))
        return known

    def check_rest(self, monitor: int, contents: int) -> None:
        """Judge the contents of the store after all requests have ended.

        Raises:
            Broken: An invariant does not hold.
        """
        if (monitor, contents) not in self._fine:
            check_rest(self._snapshots.items(contents), self._monitor(monitor))
            self._fine.add((monitor, contents))

    def _monitor(self, number: int) -> Monitor:
        monitor: Monitor = self._monitors.things[number]
        return monitor


def _following(monitor: Monitor, index: int, earlier: Items, later: Items, step: Any) -> Monitor:
    for user in monitor.users:
        if _is_deleted(_row_key(user), earlier, later):
            monitor = monitor.forgot(user)
        if _is_deleted(_user_key(user), earlier, later):
            monitor = monitor.deleted_user(user)
        if _is_deleted(_user_key(user), later, earlier):
            monitor = monitor.created_user(user)
    old, new = earlier.get(SEATS_KEY), later.get(SEATS_KEY)
    if old == new:
        return monitor
    if new is None:
        return monitor.deleted()
    seats = Seats.parse(thawed(new))
    return monitor.changed(index, Seats.parse(thawed(old)), seats, step) if old else monitor.created(seats)


def _is_deleted(key: Key, earlier: Items, later: Items) -> bool:
    return key in earlier and key not in later


def _row_key(user: str) -> Key:
    return (UserRegistration.Meta.table_name, *UserRegistration.key_of(EVENT, user))


def _user_key(user: str) -> Key:
    return (User.Meta.table_name, user)
