"""Keep the tasks of the stream, so that tests execute them when they want to."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from registrations.notices import queue
from tests.api import Api
from tests.registrations.notices.carrying import Carried


@pytest.fixture(autouse=True)
def carried(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Carried:
    """The queue of a local run without its thread. Mails become files in the test's directory."""
    settings.LOCAL_DYNAMODB_DIR = tmp_path
    tasks = Carried(tmp_path / "mail")
    monkeypatch.setattr(queue, "local", tasks)
    return tasks


@pytest.fixture
def alice_before_bob(api: Api) -> str:
    """An event with one seat, which Alice has while Bob waits."""
    for name in ("Alice", "Bob"):
        api.post("/users", {"userId": name.lower(), "name": name, "email": f"{name.lower()}@example.com"})
    event = api.event(eventId="party", capacity=1)
    api.register(event, "alice")
    api.register(event, "bob")
    return event
