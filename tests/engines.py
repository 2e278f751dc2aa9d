"""Starting the engines that tests and benchmarks run on: processes of their own, on free loopback ports."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from django.conf import settings
from moto import mock_aws

from eventsite.dynamodb.connection import disconnect

ENGINE_SECONDS = 30


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


@contextmanager
def running_engine(*, python: Path | str = sys.executable, module: str = "ministack", **options: str) -> Iterator[str]:
    """An empty engine (DynamoDB and all of AWS that it emulates) that forgets everything at its end; its URL.

    `python` is the interpreter that has ministack; `module` is what it runs; `options` are ministack's own variables.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DJANGO_"))} | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "LOG_LEVEL": "ERROR",
        **options,
    }
    with TemporaryDirectory() as state:
        environment["STATE_DIR"] = state  # Cognito's keys
        process = subprocess.Popen(
            [python, "-m", module], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(process, url)
            yield url
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def served_by(url: str) -> Iterator[None]:
    """Let the service in this process use the engine at this URL."""
    before = settings.DYNAMODB_ENDPOINT
    try:
        _use(url)
        yield
    finally:
        _use(before)


@contextmanager
def served_by_moto() -> Iterator[None]:
    """Let the service in this process use moto, which sits in botocore's client. One thread only: it loses writes."""
    endpoint, client = settings.DYNAMODB_ENDPOINT, settings.DYNAMODB_CLIENT
    with mock_aws():
        try:
            settings.DYNAMODB_CLIENT = "botocore"
            _use(f"https://dynamodb.{settings.AWS_REGION}.amazonaws.com")
            yield
        finally:
            settings.DYNAMODB_CLIENT = client
            _use(endpoint)


def _use(url: str) -> None:
    settings.DYNAMODB_ENDPOINT = os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = url
    disconnect()
