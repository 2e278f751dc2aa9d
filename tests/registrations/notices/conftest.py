"""What comes out of the stream goes nowhere by itself: tests carry it out when they want to, and as often."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from registrations.notices.queue import tasks as queue
from tests.registrations.notices.carrying import Carried


@pytest.fixture(autouse=True)
def carried(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Carried:
    """The queue of a local run, without its thread; mails become files in a directory of the test's own."""
    settings.LOCAL_DYNAMODB_DIR = tmp_path
    tasks = Carried(tmp_path / "mail")
    monkeypatch.setattr(queue, "local", tasks)
    return tasks
