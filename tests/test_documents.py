"""README.md, CONTRIBUTING.md and docs/ are true: commands run, settings are explained, links work."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from eventsite.auth.permissions import TABLE, Reach
from tests import tour, variables
from tests.hostile.requests import CLASSES
from tests.registrations import test_faults
from tests.registrations.seating import test_linearizability

README = (tour.ROOT / "README.md").read_text()
PAGES = [
    *(tour.ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
    *sorted((tour.ROOT / "docs").glob("*.md")),
]
FILE = re.compile(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|md))`")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_the_tour_prints_the_output_in_the_readme() -> None:
    section = tour.text(README)
    assert section.count(tour.COMMAND) > 10
    assert tour.alike(tour.live(section)) == tour.alike(section)


def test_the_continuous_integration_calls_the_test_command_of_the_readme() -> None:
    command = re.search(r"## Test it\n\n```sh\n(.+)\n```", README)
    assert command and "pytest" in command[1]
    assert "## Test it" in (tour.ROOT / ".ci" / "run").read_text()


def test_every_variable_is_explained_and_every_explained_one_is_read() -> None:
    table = README.partition("## Settings")[2].partition("\n## ")[0]
    explained = set(re.findall(r"`([A-Z][A-Z_]+)`", "".join(re.findall(r"(?m)^\| ([^|]+) \|", table))))
    assert variables.read_by_the_settings() - variables.OF_AWS == explained


def test_only_the_settings_read_the_environment() -> None:
    others = {
        "eventsite/env.py",  # through which they do
        "eventsite/wsgi.py",  # which settings to use by default
        "eventsite/dynamodb/client.py",  # AWS's own words for certificates,
        "eventsite/dynamodb/signing.py",  # and for credentials, as botocore would
        "eventsite/auth/login.py",  # a switch of oauthlib's
        "eventsite/management/commands/runserver.py",  # Django's word for "the autoreloader started me"
        "eventsite/local/host.py",  # the engine's own switches
        "eventsite/deployment/callbacks.py",  # the operator's machine
    }
    assert variables.modules_that_look_at_the_environment() == {"eventsite/settings.py"} | others


@each_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    text = page.read_text()
    to_be_made = re.findall(r"And the test, `([^`]+)`", text)
    assert [name for name in FILE.findall(text) if name not in to_be_made and not (tour.ROOT / name).exists()] == []


def test_every_test_and_page_that_the_code_names_exists() -> None:
    files = [path for app in (*variables.APPS, "tests") for path in (tour.ROOT / app).rglob("*.py")]
    named = {name for path in files for name in re.findall(r"\b((?:tests|docs)/[\w/-]+\.(?:py|md))", path.read_text())}
    invented = "tests/no_such_file.py"  # the argument of a test
    assert [name for name in sorted(named - {invented}) if not (tour.ROOT / name).exists()] == []


@each_page
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for path, heading in LINK.findall(page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not heading or heading in headings(target), heading


def headings(page: Path) -> set[str]:
    """The anchors of a page."""
    titles = re.findall(r"(?m)^#+ (.+)$", page.read_text())
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_each_page_is_found_from_the_readme() -> None:
    assert [page.name for page in PAGES[1:] if f"]({page.relative_to(tour.ROOT)})" not in README] == []


@each_page
def test_every_command_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text()))
    assert named - get_commands().keys() == set()


def row(page: str, name: str) -> list[str]:
    """Return the cells behind the name of a row."""
    found = re.search(rf"(?m)^\| {re.escape(name)} \| (.+) \|$", (tour.ROOT / "docs" / page).read_text())
    assert found, name
    return [cell.strip() for cell in found[1].split("|")]


def test_the_price_of_a_registration_follows_from_its_measured_units() -> None:
    operations = (tour.ROOT / "docs" / "operations.md").read_text()
    found = re.search(
        r"A registration is (\d+) read units and (\d+) write .* it is ([\d.]+) and ([\d.]+)\.\n", operations
    )
    assert found
    reads, writes, reads_in_a_crowd, writes_in_a_crowd = map(float, found.groups())
    assert [reads + writes] == [float(row("guarantees.md", "register (a seat is free)")[1])]
    assert [writes, reads] == [float(cell) for cell in row("guarantees.md", "1")[5:7]]
    assert [writes_in_a_crowd, reads_in_a_crowd] == [float(cell) for cell in row("guarantees.md", "1,000")[5:7]]
    assert [writes, reads] == [float(cell) for cell in row("scale.md", "register")[4:6]]
    prices = re.findall(r"(?m)^\| (DynamoDB|API Gateway|Lambda|logs|X-Ray)[^|]*\|([^|]+)\| ([\d.]+) \|$", operations)
    assert [f"{writes:.0f} M units", f"{reads:.0f} M units"] == [
        what.split(" ×")[0].strip() for _, what, _ in prices[:2]
    ]
    assert f"| **sum** | | **{sum(float(price) for *_, price in prices):.2f}** |" in operations


def test_a_cold_start_takes_what_the_figures_say() -> None:
    page = (tour.ROOT / "docs" / "figures.md").read_text()
    table = page.partition("| cold start |")[2].partition("\n\n")[0]
    ours, theirs = (re.findall(r"[\d.]+", line) for line in table.splitlines()[2:])
    first_read = row("deployment.md", "CPU until the first event is read from DynamoDB")
    assert first_read == [f"{ours[1]} s", f"{theirs[1]} s"]
    assert row("deployment.md", "package, unzipped") == [f"{ours[2]} MB", f"{theirs[2]} MB"]


def test_the_counts_of_the_tests_are_those_of_the_tests() -> None:
    page = (tour.ROOT / "docs" / "guarantees.md").read_text()
    by_hand = len(test_linearizability.EXPLICABLE) + len(test_linearizability.INEXPLICABLE)
    assert f"{by_hand} histories made by hand" in page
    ways = 4  # the Lambda's handler and a server, each with and without sign-in
    assert f"sends {ways * sum(count for _, count in CLASSES.values()):,} random requests" in page
    assert f"for {len(test_faults.OPERATIONS)} requests with" in page


def test_no_metric_has_two_explanations() -> None:
    page = (tour.ROOT / "docs" / "operations.md").read_text().partition("A line has `method`")[0]
    named = [name for line in page.splitlines() for name in re.findall(r"`([A-Z]\w+)`", line.split(" | ")[0])]
    assert len(named) == len(set(named)) > 10


WORDS = {
    "–": Reach.NONE,
    "own": Reach.OWN,
    "own events": Reach.OWN,
    "as their owner": Reach.OWNER,
    "yes": Reach.ALL,
    "anyone": Reach.ALL,
}


def meaning(cell: str) -> Reach:
    """Return the permission in a cell of the table, without its remark in brackets."""
    plain = re.sub(r" \(.*\)", "", cell.strip())
    if plain == Reach.ONESELF_OR_OWN.value:
        return Reach.ONESELF_OR_OWN
    return Reach.ONESELF if plain.startswith("oneself") else WORDS[plain]


def test_the_documented_permissions_are_those_of_the_code() -> None:
    rows = re.findall(r"(?m)^\| ([a-z].+) \|(.+)\|(.+)\|(.+)\|(.+)\|$", (tour.ROOT / "docs" / "sign-in.md").read_text())
    told = {call.removeprefix("root, health, docs, "): tuple(map(meaning, cells)) for call, *cells in rows[1:]}
    assert told == TABLE
