"""Child processes of tests: started with the usual signals, and ended however the test ends."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SECONDS = 120
"""Seconds to wait for a child; generous, because only a test that fails waits that long."""


def restore_signals() -> None:
    """Let children of this process react to Ctrl-C.

    A shell starts a background job (`nohup`, `… &` in a script, many CI runners) with SIGINT ignored, and children
    inherit that. A signal that has a handler here has its default action in a child.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def ended(*processes: "subprocess.Popen[Any]") -> Iterator[None]:
    """Terminate processes at the end of the block, and kill those that do not follow."""
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            _wait_or_kill(process)


def _wait_or_kill(process: "subprocess.Popen[Any]") -> None:
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
