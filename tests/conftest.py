"""What every test stands on: a DynamoDB engine of its own over a real connection, and empty tables.

The engine is one ministack process for the whole run. Each test starts with fresh tables.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.request import urlopen

import hypothesis
import pytest
from django.conf import settings

from eventsite import dynamodb
from tests.api import Api
from tests.metering import Meter
from tests.signing_in import cognito  # noqa: F401 (a fixture)

ENGINE_SECONDS = 30

# An example may share its test's tables with the examples before it; each test says why that is right.
hypothesis.settings.register_profile(
    "eventsite",
    max_examples=100,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("eventsite")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for(engine: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + ENGINE_SECONDS
    while time.monotonic() < deadline and engine.poll() is None:
        try:
            with urlopen(f"{url}/_ministack/health"):
                return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                engine.wait(0.02)
    raise RuntimeError("the test engine did not start")


@pytest.fixture(scope="session", autouse=True)
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of this run's DynamoDB engine, which the service is configured to use."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(tmp_path_factory.mktemp("engine")),  # Cognito's keys
        "LOG_LEVEL": "ERROR",
    }
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "ministack"], env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(process, url)
        settings.DYNAMODB_ENDPOINT = os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = url
        dynamodb.disconnect()
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(autouse=True)
def tables(engine: str) -> None:
    """Make the three tables anew, empty."""
    for model in dynamodb.owners():
        if model.exists():
            model.delete_table()
        model.create_table(wait=False)


@pytest.fixture
def api() -> Api:
    """The service, called over HTTP without a network in between."""
    return Api()


@pytest.fixture
def meter() -> Iterator[Meter]:
    """Counts the DynamoDB calls and capacity units of what is done with it."""
    with Meter() as counting:
        yield counting
