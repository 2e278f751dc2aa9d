"""Child processes of tests: started with the usual signals, and ended however the test ends."""

import os
import signal
import subprocess
import sys
import threading
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


WITH_INPUT = "ENDS_WITH_INPUT"
"""The variable that makes a child process end with its standard input, which is a pipe from its parent."""


def end_with_input() -> None:
    """End this process when its parent is gone, if the parent asked for that by `WITH_INPUT`.

    A parent that is killed terminates no child, but the kernel closes its end of the pipe.
    """
    if os.environ.get(WITH_INPUT):
        threading.Thread(target=_wait_for_the_end_of_input, daemon=True).start()


def _wait_for_the_end_of_input() -> None:
    sys.stdin.read()
    os._exit(1)


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
