"""Keep the tasks of the stream, so that tests execute them when they want to."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from registrations.notices.queue import tasks as queue
from tests.registrations.notices.carrying import Carried


@pytest.fixture(autouse=True)
def carried(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Carried:
    """The queue of a local run without its thread. Mails become files in the test's directory."""
    settings.LOCAL_DYNAMODB_DIR = tmp_path
    tasks = Carried(tmp_path / "mail")
    monkeypatch.setattr(queue, "local", tasks)
    return tasks
