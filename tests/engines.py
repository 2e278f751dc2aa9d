"""Starting the engines that tests and benchmarks run on: processes of their own, on free loopback ports."""

import os
import random
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
from tests.children import SECONDS, WITH_INPUT, ended

ROOT = Path(__file__).resolve().parent.parent
PORTS = range(20_000, 32_000)
"""Ports to listen on: below those that the kernel gives to outgoing connections, which many tests make."""
ATTEMPTS = 5
"""Starts of an engine: another process may take its port in the moment before it listens."""


def free_port() -> int:
    """Return a port of this machine on which no process listens."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _answers(engine: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until an engine answers. Returns: False if it ended instead, as it does where its port is taken."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and engine.poll() is None:
        try:
            with urlopen(f"{url}/_ministack/health", timeout=SECONDS):
                return engine.poll() is None  # what answers may be an engine of another test
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                engine.wait(0.02)
    return False


@contextmanager
def running_engine(
    *, python: Path | str = sys.executable, module: str = "tests.engine", **options: str
) -> Iterator[str]:
    """Run an empty engine of DynamoDB and the rest of AWS, and yield its URL.

    `python` is the interpreter that has ministack; `module` is what it runs; `options` are ministack's own variables.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DJANGO_"))} | {
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "LOG_LEVEL": "ERROR",
        **options,
    }
    with TemporaryDirectory() as state:
        environment["STATE_DIR"] = state  # Cognito's keys
        process, url = _started([str(python), "-m", module], environment)
        with ended(process):
            yield url


def _started(command: list[str], environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    for _ in range(ATTEMPTS):
        port = free_port()
        here = environment | {"GATEWAY_PORT": str(port), WITH_INPUT: "1"}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=here,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if _answers(process, url := f"http://127.0.0.1:{port}"):
            return process, url
        with ended(process):
            process.kill()
    raise RuntimeError("the engine of the tests did not start")


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
