"""The deployments of these tests, which need neither the suite's engine nor its tables."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from eventsite.deployment import stage_file
from tests.engines import running_engine
from tests.eventsite.deployment.zappa_project import CLOUD, Project, checkout

REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def tables() -> None:
    """Instead of the suite's fixture: the tables of a deployment are its own."""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A checkout of the working tree beside an emulated AWS, before anything is deployed."""
    with checkout(tmp_path_factory.mktemp("deployment")) as copy:
        yield copy


@pytest.fixture(scope="session")
def dev(project: Project) -> Project:
    """The stage `dev`, deployed by the one command."""
    project.choose("dev")
    assert "Deployment complete" in project.zappa("deploy", "dev")
    return project


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """An emulated AWS of this module's own, as others deploy into theirs."""
    with running_engine(module=CLOUD) as url:
        yield url


@pytest.fixture(scope="module")
def aws(cloud: str) -> Any:
    """A maker of clients of the emulated AWS."""
    session: Any = boto3.Session("test", "test", region_name=REGION)
    return cache(lambda service: session.client(service, endpoint_url=cloud))


@pytest.fixture
def operator(cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's directory and shell."""
    for name in stage_file.FOR_THE_LAMBDA:
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):  # which a deployment sets
        monkeypatch.setenv(name, REGION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path
