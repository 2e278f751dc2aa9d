"""Clients that are generated from the OpenAPI document: they compile strictly, and every call works with each.

The commands and programs are those of docs/clients.md.
"""

import json
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from eventsite.wsgi import application
from tests.api import Api
from tests.clients import node
from tests.tour import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "clients.md").read_text()
NAMED = "http://localhost:8000"
"""The address of the service in the page."""
SECTIONS = {section.partition("\n")[0]: section for section in PAGE.split("\n## ")[1:]}
TYPESCRIPT = [name for name in SECTIONS if name.startswith("TypeScript")]
BIN = Path(sys.executable).parent
SECONDS = 300
OPTIONS = {
    **{"strict": True, "noEmit": True, "module": "esnext", "moduleResolution": "bundler", "target": "es2022"},
    **{"lib": ["es2022", "dom", "dom.iterable"], "types": ["node"], "skipLibCheck": True},
}
FOR_PEOPLE = {"getDocs", "getRedoc", "readCalendar"}
"""Calls whose only answers are pages and calendars: orval reads JSON alone."""


class Quiet(WSGIRequestHandler):
    """A handler that prints nothing."""

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    """The service on a port of this machine. Returns: its address."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTIONS[section], re.DOTALL)


def run(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def python_client(tmp_path: Path, service: str) -> Path:
    """A folder with the client in Python."""
    command = blocks("Python: openapi-python-client", "sh")[0].splitlines()[1].replace(NAMED, service)
    run([BIN / "openapi-python-client", *shlex.split(command)[1:]], tmp_path)
    return tmp_path


@pytest.fixture(params=TYPESCRIPT)
def typescript_client(request: pytest.FixtureRequest, tmp_path: Path, service: str) -> tuple[str, Path]:
    """The name of a generator, and a folder with its client in TypeScript."""
    section: str = request.param
    (tmp_path / "node_modules").symlink_to(node.installed())
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "include": ["**/*.ts"]}))
    for config in blocks(section, "js"):
        (tmp_path / "orval.config.ts").write_text(config.replace(NAMED, service))
    command = blocks(section, "sh")[0].splitlines()[1].replace(NAMED, service)
    name, *arguments = shlex.split(command)[1:]
    node.tool(name, *arguments, folder=tmp_path)
    return section, tmp_path


def typescript(program: str, folder: Path) -> str:
    """Type-check a program and the client, and run it. Returns: what it printed."""
    (folder / "program.ts").write_text(program)
    node.tool("tsc", "--project", ".", folder=folder)
    node.tool(
        "esbuild", "program.ts", "--bundle", "--platform=node", "--format=esm", "--outfile=program.mjs", folder=folder
    )
    return run(["node", "program.mjs"], folder)


# The programs of the page


def test_the_program_in_python_works_and_its_types_are_right(python_client: Path, service: str) -> None:
    program = blocks("Python: openapi-python-client", "python")[0].replace(NAMED, service)
    (python_client / "program.py").write_text(program)
    assert run([sys.executable, "program.py"], python_client).splitlines() == ["registered"]
    strict = ["--strict", "--no-incremental", "--config-file=", "--disable-error-code=arg-type"]  # of its client.py
    run([sys.executable, "-m", "mypy", *strict, "program.py", "eventsite_client"], python_client)


def test_the_program_in_typescript_works_and_its_types_are_right(
    typescript_client: tuple[str, Path], service: str
) -> None:
    section, folder = typescript_client
    program = blocks(section, "ts")[0].replace(NAMED, service)
    assert typescript(program, folder).splitlines() == ["registered"]


def test_every_program_has_ten_lines_or_about() -> None:
    programs = [block for section in SECTIONS for block in blocks(section, "python") + blocks(section, "ts")]
    assert len(programs) == 4
    assert all(sum(bool(line) for line in program.splitlines()) <= 16 for program in programs)


# Every call


def plan(api: Api, document: Any) -> list[dict[str, Any]]:
    """Return every call of the document, with an event, a user and a registration of its own."""
    steps = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if operation["operationId"] in FOR_PEOPLE:
                continue
            ids = {"eventId": api.event(), "userId": api.user()}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
            if operation["operationId"].startswith("register"):
                body = {"userId": ids["userId"]}
            elif "/" in path[1:]:
                api.register(ids["eventId"], ids["userId"])
            if operation["operationId"] == "deleteEvent":
                ids["eventId"] = api.event()
            calendar = api.put(f"/users/{ids['userId']}/calendar").json()["url"]
            ids["token"] = calendar.rpartition("/")[2].removesuffix(".ics")
            status = next(status for status in operation["responses"] if status < "300")
            steps.append(
                {
                    "name": operation["operationId"],
                    "method": method.upper(),
                    "template": path,
                    "path": {name: value for name, value in ids.items() if f"{{{name}}}" in path},
                    "body": body,
                    "status": int(status),
                    "json": "application/json" in operation["responses"][status].get("content", {}),
                }
            )
    return steps


def check(steps: list[dict[str, Any]], statuses: list[Any]) -> None:
    assert len(steps) >= 25
    named = [f"{step['name']} {step['status']}" for step in steps]
    assert [f"{step['name']} {status}" for step, status in zip(steps, statuses, strict=True)] == named


EVERY_CALL_IN_PYTHON = """
import importlib, inspect, json, pkgutil, re, sys
import eventsite_client.api
from eventsite_client import AuthenticatedClient

address, steps = sys.argv[1], json.load(open("plan.json"))
client = AuthenticatedClient(address, token="any", raise_on_unexpected_status=True)
modules = {}
for group in pkgutil.iter_modules(eventsite_client.api.__path__, "eventsite_client.api."):
    for found in pkgutil.iter_modules(importlib.import_module(group.name).__path__, group.name + "."):
        modules[found.name.rpartition(".")[2]] = importlib.import_module(found.name)

def snake(name):
    return re.sub("([A-Z])", lambda found: "_" + found[1].lower(), name)

for step in steps:
    module = modules[snake(step["name"])]
    arguments = {snake(name): value for name, value in step["path"].items()}
    if step["body"] is not None:
        kind = inspect.signature(module.sync_detailed, eval_str=True).parameters["body"].annotation
        arguments["body"] = kind.from_dict(step["body"])
    answer = module.sync_detailed(client=client, **arguments)
    assert answer.parsed is not None or not step["json"], step
    print(int(answer.status_code))
"""

EVERY_CALL_IN_TYPESCRIPT = {
    "TypeScript: openapi-typescript": """
import createClient from "openapi-fetch";
const client = createClient<any>({ baseUrl: ADDRESS });
const call = async (step: any) => {
  const sent = { params: { path: step.path }, body: step.body ?? undefined };
  return (await client.request(step.method.toLowerCase(), step.template, sent)).response.status;
};
""",
    "TypeScript: @hey-api/openapi-ts": """
import * as sdk from "./eventsite";
import { client } from "./eventsite/client.gen";
client.setConfig({ baseUrl: ADDRESS });
const call = async (step: any) =>
  (await (sdk as any)[step.name]({ path: step.path, body: step.body ?? undefined })).response.status;
""",
    "TypeScript: orval": """
import * as sdk from "./eventsite";
const call = async (step: any) =>
  (await (sdk as any)[step.name](...Object.values(step.path), ...(step.body ? [step.body] : []))).status;
""",
}
REST = """
import { readFileSync } from "node:fs";
for (const step of JSON.parse(readFileSync("plan.json", "utf8"))) console.log(await call(step));
"""


def test_every_call_works_with_the_client_in_python(api: Api, python_client: Path, service: str, document: Any) -> None:
    steps = plan(api, document)
    (python_client / "plan.json").write_text(json.dumps(steps))
    (python_client / "every.py").write_text(EVERY_CALL_IN_PYTHON)
    check(steps, run([sys.executable, "every.py", service], python_client).split())


def test_every_call_works_with_the_client_in_typescript(
    api: Api, typescript_client: tuple[str, Path], service: str, document: Any
) -> None:
    section, folder = typescript_client
    steps = plan(api, document)
    (folder / "plan.json").write_text(json.dumps(steps))
    program = EVERY_CALL_IN_TYPESCRIPT[section].replace("ADDRESS", json.dumps(service)) + REST
    check(steps, typescript(program, folder).split())


# Linters


def test_linters_find_no_error_in_the_document(tmp_path: Path, document: Any) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / ".spectral.yaml").write_text('extends: ["spectral:oas"]\n')
    node.tool("spectral", "lint", "openapi.json", "--ruleset", ".spectral.yaml", folder=tmp_path)
    node.tool("redocly", "lint", "openapi.json", folder=tmp_path)
