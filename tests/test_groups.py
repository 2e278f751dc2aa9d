"""Tests of one `xdist_group` share a process, and with it what their fixtures have deployed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines import ROOT

GROUPED = """
import os
from pathlib import Path
import pytest

pytestmark = pytest.mark.xdist_group("{group}")

@pytest.mark.parametrize("number", range(6))
def test_of_a_group(number: int) -> None:
    Path(f"ran-{group}-{{os.getpid()}}").touch()
"""


@pytest.mark.slow
def test_tests_of_one_group_run_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_collection_modifyitems\n")
    for group in ("one", "other"):
        (tmp_path / f"test_{group}.py").write_text(GROUPED.format(group=group))
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-c", "/dev/null"]
    command += [
        "-p",
        "no:cacheprovider",
        f"--rootdir={tmp_path}",
        "-o",
        f"pythonpath={ROOT}",
        "--ds=eventsite.settings",
    ]
    done = subprocess.run([*command, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name.split("-")[1] for path in tmp_path.glob("ran-*")) == ["one", "other"]
