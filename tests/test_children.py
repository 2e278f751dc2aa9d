"""Children of tests end with the tests, however these end."""

import os
import subprocess
import sys

from tests.children import SECONDS, WITH_INPUT

CHILD = f"""
import threading
from tests.children import end_with_input
end_with_input()
threading.Event().wait({2 * SECONDS})  # so that it ends also where this test fails
"""
PARENT = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdin=subprocess.PIPE, stdout=sys.stdout)
os.kill(os.getpid(), 9)
"""


def test_a_child_ends_after_its_parent_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=os.environ | {WITH_INPUT: "1"}
    ) as parent:
        assert parent.stdout
        assert parent.communicate(timeout=SECONDS) == (b"", None)  # the child held the other end of this pipe


def test_a_child_started_by_hand_does_not_wait_for_input() -> None:
    ends = f"from tests.children import end_with_input; end_with_input(); print({SECONDS})"
    child = subprocess.run([sys.executable, "-c", ends], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert int(child.stdout) == SECONDS
