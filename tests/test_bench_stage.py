"""The bench for a stage keeps to what it announces, and leaves nothing behind."""

import re
from collections.abc import Iterator

import pytest

from events.models import Event
from registrations.models import RegistrationItem
from tests.bench import stage
from tests.bench.stage import Budget, OverBudget
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
    for name in [*stage.CALLS, "cold starts, all at once", "the doors open", "the event is full"]:
        assert re.search(rf"^{re.escape(name)} +\d+ ", printed, re.MULTILINE), name
    assert "3x 409 event_full" in printed
    assert "Everything that was made is removed." in printed
    assert left() == []
    announced = re.search(r"At most ([\d,]+) requests", printed)
    assert announced and len(sent) <= int(announced[1].replace(",", ""))


def test_a_run_that_reaches_its_limit_ends_and_cleans_up(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "requests_of", lambda *_: 12)
        assert stage.main([url, *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "The budget is used up" in printed and "is removed" in printed
    assert left() == []


def test_it_starts_only_when_it_may(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert stage.main(["http://127.0.0.1:1", "--clients", "3"]) == 1
    assert re.search(
        r"At most [\d,]+ requests to http://127.0.0.1:1 in 300 s, about \$\d+\.\d\d", capsys.readouterr().out
    )


def test_a_budget_ends_with_its_requests_and_with_its_time() -> None:
    budget = Budget(1, 100)
    budget.take()
    with pytest.raises(OverBudget):
        budget.take()
    with pytest.raises(OverBudget):
        Budget(1, -1).take()
