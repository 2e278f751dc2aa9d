"""The arrows between modules, as `pyproject.toml` allows them, and their sizes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tour import ROOT


@pytest.mark.slow  # `.ci/run` and pre-commit call the linter itself, too
def test_every_contract_between_the_layers_is_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_of_the_product_has_more_than_350_lines() -> None:
    modules = [path for app in ("eventsite", "events", "registrations", "users") for path in (ROOT / app).rglob("*.py")]
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in modules}
    assert len(lines) > 200
    assert {name: count for name, count in lines.items() if count > 350} == {}
