"""The deployments that the tests look at; they need neither the suite's engine nor its tables."""

from collections.abc import Iterator

import pytest

from tests.eventsite.deployment.zappa_project import Project, checkout


@pytest.fixture(autouse=True)
def tables() -> None:
    """Instead of the suite's fixture: the tables of a deployment are its own."""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A checkout of the working tree beside an emulated AWS; nothing is deployed yet."""
    with checkout(tmp_path_factory.mktemp("deployment")) as copy:
        yield copy


@pytest.fixture(scope="session")
def dev(project: Project) -> Project:
    """The stage `dev`, deployed by the one command."""
    project.choose("dev")
    assert "Deployment complete" in project.zappa("deploy", "dev")
    return project
