"""An emulated AWS on this machine: ministack in a process of its own."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

START_SECONDS = 30


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def emulated_aws(*, python: Path | str = sys.executable, log: Path | None = None, **options: str) -> Iterator[str]:
    """Run an emulated AWS and give its URL. `python` is the interpreter that has ministack; options are its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DJANGO_"))}
    environment |= {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "LOG_LEVEL": "ERROR",
        **options,
    }
    with tempfile.TemporaryDirectory() as state, (log or Path(os.devnull)).open("wb") as output:
        environment["STATE_DIR"] = state  # Cognito's keys
        process = subprocess.Popen([python, "-m", "ministack"], env=environment, stdout=output, stderr=output)
        try:
            _wait_for(process, url)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{url}/_ministack/health"):
                return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
    raise RuntimeError("the emulated AWS did not start")
