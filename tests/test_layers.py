"""The arrows between modules, as `pyproject.toml` allows them."""

import subprocess
import sys
from pathlib import Path

from tests.tour import ROOT


def test_every_contract_between_the_layers_is_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
