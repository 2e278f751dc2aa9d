"""CONTRIBUTING.md is true: fields are added by its steps, in a copy of the tree, and work everywhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tour import ROOT

SECTION = (ROOT / "CONTRIBUTING.md").read_text().partition("## To add a field\n")[2].partition("\n## ")[0]
ADDED = re.compile(r"In `([^`]+)`,\s+after\s+`([^`]+)`,\s+add\s+`([^`]+)`")
TEST = re.compile(r"test, `([^`]+)`:\n\n```python\n(.*?)```", re.DOTALL)
MOST_PLACES = 3
DOCUMENTATION = "tests/eventsite/openapi/test_documentation.py"
ROUND_TRIP = "tests/registrations/transfer/test_round_trip.py"
OTHERS = [
    ROUND_TRIP,
    *(f"{DOCUMENTATION}::test_{name}" for name in ("it_names_itself", "every_example_fits_its_schema")),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree."""
    copy = tmp_path / "tree"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.zip"))
    return copy


def follow(steps: list[tuple[str, str, str]], tree: Path) -> None:
    for name, line, added in steps:
        path = tree / name
        before = path.read_text()
        assert before.count(f"{line}\n") == 1, f"{name} has not one line {line.strip()}"
        path.write_text(before.replace(f"{line}\n", f"{line}\n{added}\n"))


def run(tree: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_fields_are_added_by_the_documented_steps(tree: Path) -> None:
    fields = SECTION.split("**Of a")[1:]
    assert len(fields) == 2, "a field of an event, and one of a registration"
    for recipe in fields:
        assert 0 < len(ADDED.findall(recipe)) <= MOST_PLACES and len(TEST.findall(recipe)) == 1
    follow(ADDED.findall(SECTION), tree)
    for name, text in TEST.findall(SECTION):
        (tree / name).write_text(text)
    run(tree, "manage.py", "check")
    run(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(name for name, _ in TEST.findall(SECTION)), *OTHERS)
