"""Runs the commands of README.md's tour against a real server and collects what they print.

``python -m tests.tour`` writes the tour with fresh output into README.md.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.children import SECONDS
from tests.engines import free_port

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "$ "
RESTART = "<!-- restart -->"
PUBLISHED = "localhost:8000"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CURSOR = re.compile(r"cursor=[^>&\s]+")


def text(readme: str) -> str:
    """The section of README.md that holds the tour."""
    return readme.partition("## A two-minute tour")[2].partition("\n## ")[0]


def alike(printed: str) -> str:
    """Output without what differs from run to run: moments, generated ids and cursors."""
    return CURSOR.sub("cursor=…", UUID.sub("<id>", MOMENT.sub("<moment>", printed))).replace("\r", "").strip()


class Server:
    """README's service, on a free port, with its data in a directory of its own."""

    def __init__(self, directory: str) -> None:
        self._port = str(free_port())
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DYNAMODB_"))}
        self._environment = kept | {"LOCAL_DYNAMODB_DIR": directory, "PYTHONUNBUFFERED": "1"}
        self._shell_setup = ""
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "manage.py", "runserver", "--noreload", self._port]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout
        for line in self._process.stdout:
            if "Quit the server" in line:
                return
        self._process.wait()
        raise RuntimeError("the server did not start")

    def stop(self) -> None:
        """End it as Ctrl-C does, and kill it if it does not end."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=SECONDS)
        finally:
            self._process.kill()

    def restart(self) -> None:
        """Stop and start again on the same data."""
        self.stop()
        self._start()

    def run(self, command: str) -> str:
        """Return the output of a command. Assignments hold for the commands after it."""
        here = command.replace(PUBLISHED, f"localhost:{self._port}")
        if re.match(r"\w+=", here):
            self._shell_setup = here
        done = subprocess.run(
            ["bash", "-c", f"{self._shell_setup}\n{here}"], capture_output=True, text=True, check=True, timeout=SECONDS
        )
        return done.stdout.replace(f"localhost:{self._port}", PUBLISHED)


def lived_through(section: str, server: Server) -> str:
    """The section with the output of its commands replaced by what they print now."""
    lines, inside = [], False
    for line in section.splitlines():
        if line.startswith("```"):
            inside = line == "```console"
        if line == RESTART:
            server.restart()
        if not inside or line.startswith("```") or line.startswith(COMMAND):
            lines.append(line)
        if inside and line.startswith(COMMAND) and (output := server.run(line.removeprefix(COMMAND)).strip()):
            lines.append(output)
    return "\n".join(lines)


def live(section: str) -> str:
    """The section as it comes out on a server with no data yet."""
    with tempfile.TemporaryDirectory() as directory:
        server = Server(directory)
        try:
            return lived_through(section, server)
        finally:
            server.stop()


if __name__ == "__main__":
    readme = (ROOT / "README.md").read_text()
    (ROOT / "README.md").write_text(readme.replace(text(readme), live(text(readme)) + "\n"))
