"""Time that passes only while all threads wait: a second of a simulation costs what it computes, and no more.

Threads run one at a time. One runs until it sleeps; then the clock jumps to the moment at which the next one wakes.
So a run depends on nothing but its seed, not on the machine, and a thousand clients fit into one process.

While `VirtualTime` is entered, all randomness comes from its seed, and `time.sleep`, `time.monotonic`, `time.time` and
`time.perf_counter` are its own, for the threads that `run` starts and for those that they start.
"""

import heapq
import itertools
import os
import random
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from eventsite import clock

STACK_BYTES = 512 * 1024
"""For each thread; there may be thousands."""


class _Actor:
    """A thread that runs only when it is its turn."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self.run = run
        self.turn = threading.Semaphore(0)
        self.error: BaseException | None = None


class VirtualTime:
    """A clock of its own, and the threads that live by it."""

    def __init__(self, seed: int = 1) -> None:
        self.now = 0.0
        self._seed = seed
        self._began = time.time()
        self._sleeping: list[tuple[float, int, _Actor]] = []
        self._numbers = itertools.count()
        self._own = threading.local()
        self._over = threading.Event()
        self.start_thread = threading.Thread.start
        self._sleep = time.sleep
        self._failed: list[BaseException] = []

    def __enter__(self) -> "VirtualTime":
        random.seed(self._seed)
        self._patches = ExitStack()
        for name, replacement in (
            ("sleep", self.sleep),
            ("monotonic", lambda: self.now),
            ("perf_counter", lambda: self.now),
            ("time", lambda: self._began + self.now),
        ):
            self._patches.enter_context(patch.object(time, name, replacement))
        self._patches.enter_context(patch.object(clock, "now", self._shown))
        self._patches.enter_context(patch.object(os, "urandom", random.Random(self._seed).randbytes))
        self._patches.enter_context(patch.object(threading.Thread, "start", _started_by(self)))
        self._patches.enter_context(patch.object(threading.Thread, "join", _joined_by(self)))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def _shown(self) -> str:
        return datetime.fromtimestamp(self._began + self.now, UTC).strftime(clock.FORMAT)

    def run(self, actions: Iterable[Callable[[], Any]]) -> None:
        """Let all this be done at once, from now on, and wait until it is. Raises: the first error of any of it."""
        before = threading.stack_size(STACK_BYTES)
        try:
            for action in actions:
                self.enlist(action, self.now)
            self._over.clear()
            self._pass_on()
            self._over.wait()
        finally:
            threading.stack_size(before)
        if self._failed:
            raise self._failed[0]

    def sleep(self, seconds: float) -> None:
        """Let the others run until so much time has passed."""
        actor = getattr(self._own, "actor", None)
        if actor is None:  # a thread that is not ours: it lives in the real time
            self._sleep(seconds)
            return
        self._wake_at(self.now + max(0.0, seconds), actor)
        following = self._next()
        if following is not actor:
            following.turn.release()
            actor.turn.acquire()

    def enlist(self, action: Callable[[], Any], when: float) -> threading.Thread:
        actor = _Actor(action)

        def live() -> None:
            self._own.actor = actor
            actor.turn.acquire()
            try:
                actor.run()
            except BaseException as error:
                self._failed.append(error)
            self._pass_on()

        thread = threading.Thread(target=live, daemon=True)
        self.start_thread(thread)
        self._wake_at(when, actor)
        return thread

    def _wake_at(self, when: float, actor: _Actor) -> None:
        heapq.heappush(self._sleeping, (when, next(self._numbers), actor))

    def _next(self) -> _Actor:
        self.now, _, actor = heapq.heappop(self._sleeping)
        return actor

    def _pass_on(self) -> None:
        """The running thread ends: the next one's turn, if there is any."""
        if self._sleeping:
            self._next().turn.release()
        else:
            self._over.set()

    @property
    def is_inside(self) -> bool:
        return hasattr(self._own, "actor")


def _started_by(clock: VirtualTime) -> Callable[[threading.Thread], None]:
    """What a thread's `start` does: one that is started inside takes its turns like the others."""

    def start(thread: threading.Thread) -> None:
        if not clock.is_inside:
            clock.start_thread(thread)
            return
        thread.virtual_end = done = threading.Event()  # type: ignore[attr-defined]

        def run() -> None:
            try:
                thread.run()
            finally:
                done.set()

        clock.enlist(run, clock.now)

    return start


def _joined_by(clock: VirtualTime) -> Callable[..., None]:
    original, pause = threading.Thread.join, 0.0005

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        done: threading.Event | None = getattr(thread, "virtual_end", None)
        if done is None:
            original(thread, timeout)
            return
        until = clock.now + (timeout if timeout is not None else float("inf"))
        while not done.is_set() and clock.now < until:
            clock.sleep(pause)

    return join
