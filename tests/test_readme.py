"""README.md is true: its commands run, and print what it says they print."""

import re

import pytest

from tests import tour

README = (tour.ROOT / "README.md").read_text()
SETTINGS = (tour.ROOT / "eventsite" / "settings.py").read_text()


def test_the_tour_prints_what_the_readme_says() -> None:
    section = tour.text(README)
    assert section.count(tour.COMMAND) > 10
    assert tour.alike(tour.live(section)) == tour.alike(section)


def test_the_continuous_integration_calls_the_test_command_of_the_readme() -> None:
    command = re.search(r"## Test it\n\n```sh\n(.+)\n```", README)
    assert command and "pytest" in command[1]
    assert "## Test it" in (tour.ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r'\b(?:text|word|switch|read)\(\s*"([A-Z_]+)"', SETTINGS))))
def test_every_setting_is_explained(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("path", re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|md))`", README))
def test_every_file_that_is_named_exists(path: str) -> None:
    assert (tour.ROOT / path).exists()
