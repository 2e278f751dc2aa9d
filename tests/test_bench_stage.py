"""The bench for a stage keeps to what it announces, and leaves nothing behind."""

import re
from collections.abc import Iterator

import pytest

from events.models import Event
from registrations.models import RegistrationItem
from tests.bench import cases, stage
from tests.bench.stage import Budget, OverBudget
from tests.bench.stage_plan import COLD, DOORS, FULL, Plan
from tests.servers import Remote, serving
from users.models import User

QUICK = ["--yes", "--clients", "3", "--repeats", "2", "--no-simulation"]


@pytest.fixture
def url() -> Iterator[str]:
    with serving(1) as remote:
        yield f"http://127.0.0.1:{_port(remote)}"


def _port(remote: Remote) -> int:
    return int(next(remote.ports))


def left() -> list[object]:
    return [*Event.scan(), *User.scan(), *RegistrationItem.scan()]


def test_it_measures_every_call_and_removes_what_it_made(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[Budget] = []
    with pytest.MonkeyPatch.context() as patch:
        take = Budget.take

        def counted(self: Budget) -> None:
            sent.append(self)
            take(self)

        patch.setattr(Budget, "take", counted)
        assert stage.main([url, *QUICK]) == 0
    printed = capsys.readouterr().out
    rows = dict(re.findall(r"(?m)^(\S.+?)  +\d+ .+?  (\d+x .+)$", printed))
    assert rows.keys() == {step.name for step in Plan(3, 2).steps()} | {"delete an event", "delete a user"}
    assert rows.pop("the event is full") == "3x 409 event_full"
    assert [name for name, answers in rows.items() if not re.fullmatch(r"\d+x 20\d", answers)] == []
    assert "Everything that was made is removed." in printed
    assert left() == []
    announced = re.search(r"At most ([\d,]+) requests", printed)
    assert announced and len(sent) <= int(announced[1].replace(",", ""))


def test_a_run_that_reaches_its_limit_ends_and_cleans_up(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "requests", 12)
        assert stage.main([url, *QUICK]) == 1
    printed = capsys.readouterr().out
    assert "The budget is used up" in printed and "is removed" in printed
    assert left() == []


def test_it_starts_only_when_it_may(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert stage.main(["http://127.0.0.1:1", "--clients", "3"]) == 1
    assert re.search(
        r"At most [\d,]+ requests to http://127.0.0.1:1 in 300 s and 300 s to clean up, about \$\d+\.\d\d",
        capsys.readouterr().out,
    )


def test_a_stage_that_refuses_or_does_not_answer_is_left_at_once(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stage.main([f"{url}/nowhere", *QUICK]) == 1
    assert "refuses to create a user: 404" in capsys.readouterr().out
    assert stage.main(["http://127.0.0.1:1", *QUICK]) == 1
    assert "does not answer" in capsys.readouterr().out


def test_its_rows_have_the_names_of_the_published_figures() -> None:
    steps = {step.name for step in Plan(3, 2).steps()} - {COLD, DOORS, FULL}
    assert steps <= {case.name for case in cases.every()}
    assert steps & stage.predictions().keys()


def test_a_budget_ends_with_its_requests_and_with_its_time() -> None:
    budget = Budget(1, 100)
    budget.take()
    with pytest.raises(OverBudget):
        budget.take()
    with pytest.raises(OverBudget):
        Budget(1, -1).take()
