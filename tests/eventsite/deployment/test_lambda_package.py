"""What of our own goes into the Lambda package."""

from pathlib import Path

import pytest

from eventsite.deployment import lambda_package
from eventsite.local import user_pool


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    lambda_package.copy_apps(tmp_path)
    return tmp_path


def test_the_apps_are_in_it(packed: Path) -> None:
    assert (packed / "registrations" / "views.py").exists()


@pytest.mark.parametrize("left_out", ["eventsite/local", "eventsite/deployment"])
def test_what_never_runs_in_the_lambda_is_not(packed: Path, left_out: str) -> None:
    assert not (packed / left_out).exists()


def test_no_module_in_it_imports_what_is_not(packed: Path) -> None:
    modules = list(packed.rglob("*.py"))
    assert len(modules) > 50
    wanted = ("from eventsite.local", "import eventsite.local", "from eventsite.deployment")
    assert [path for path in modules if any(line in path.read_text() for line in wanted)] == []


def test_no_password_is_in_it(packed: Path) -> None:
    assert [path for path in packed.rglob("*.*") if user_pool.PASSWORD in path.read_text()] == []
