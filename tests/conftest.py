"""What every test stands on: a DynamoDB engine of its own over a real connection, and empty tables.

The engine is one ministack process for the whole run. Each test starts with fresh tables.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import hypothesis
import pytest
from _pytest.nodeid import NodeId
from django.conf import settings

from eventsite.dynamodb.base_model import table_models
from eventsite.dynamodb.connection import connection
from eventsite.dynamodb.tables import request_for
from tests.api import Api
from tests.children import restore_signals
from tests.engine import RECREATE
from tests.engines import running_engine, served_by, served_by_moto
from tests.metering import Meter
from tests.signing_in import cognito  # noqa: F401 (a fixture)
from tests.torn import Torn

# An example may share its test's tables with the examples before it. Each such test names the reason.
ALIKE = hypothesis.settings(
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("quick", ALIKE, max_examples=10)
hypothesis.settings.register_profile("deep", ALIKE, max_examples=120)  # `--hypothesis-profile deep`, as in .ci/run
hypothesis.settings.load_profile("quick")
restore_signals()

# Tests start Python a few hundred times. Each start would compile the service again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

gc.disable()  # nothing that is collected is garbage


def pytest_collection_finish() -> None:
    """Spare the garbage collector the modules and tests, which stay for the whole run."""
    gc.freeze()
    gc.enable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests marked `two_engines` on the suite's engine, and again on moto, which takes ten times as long."""
    if marker := metafunc.definition.get_closest_marker("two_engines"):
        moto = pytest.param("moto", marks=() if marker.kwargs.get("quick") else pytest.mark.slow)
        metafunc.parametrize("answering", ["ministack", moto], indirect=True, scope="module")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Keep the tests of an `xdist_group` in one process.

    xdist 3.8 adds the group to an attribute of which pytest 9.2 no longer makes the id of a test.
    """
    for item in items:
        if (grouped := getattr(item, "_nodeid", item.nodeid)) != item.nodeid:
            item._id = NodeId.parse(grouped)  # noqa: SLF001 (pytest has no public way)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--engine`: where the tests of the registrations run."""
    parser.addoption(
        "--engine",
        choices=("marked", "torn", "kind"),
        default="marked",
        help="the engine of tests/registrations: torn (DynamoDB's isolation) where a module is marked so, everywhere, "
        "or nowhere",
    )


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[str]:
    """The URL of this run's DynamoDB engine, which the service is configured to use."""
    with running_engine() as url, served_by(url):
        yield url


@pytest.fixture(scope="session")
def torn_engine() -> Iterator[Torn]:
    """Yield a second engine with DynamoDB's documented isolation, for tests marked `torn`."""
    with running_engine(module="tests.torn") as url:
        yield Torn(url)


@pytest.fixture(scope="module", autouse=True)
def answering(engine: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """Who answers for DynamoDB: the engine, or moto where a test runs on both."""
    with served_by_moto() if getattr(request, "param", "") == "moto" else nullcontext():
        yield


@pytest.fixture(autouse=True)
def tables(answering: None) -> None:
    """Recreate the three tables, empty."""
    if settings.DYNAMODB_CLIENT == "botocore":  # on moto
        for model in table_models():
            if model.exists():
                model.delete_table()
            model.create_table(wait=False)
    else:
        requests = [request_for(model, tags={}, protect=False) for model in table_models()]
        connection()._make_api_call(RECREATE, {"Tables": requests})


@pytest.fixture
def api() -> Api:
    """The service, called over HTTP without a network in between."""
    return Api()


@pytest.fixture
def meter() -> Iterator[Meter]:
    """Count the DynamoDB calls and capacity units of a test."""
    with Meter() as counting:
        yield counting
