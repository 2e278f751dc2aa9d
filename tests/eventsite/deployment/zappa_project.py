"""A checkout of this project, deployed with Zappa to an emulated AWS."""

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import boto3
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from eventsite.deployment.lambda_package import ROOT
from tests.engines import running_engine

REGION = "eu-west-1"
CLOUD = "tests.eventsite.deployment.cloud"
CHOICES = {"AWS_REGION": REGION, "S3_BUCKET": "packages", "AUTH_MODE": "open", "ALLOWED_HOSTS": "127.0.0.1"}
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.zip")
SECONDS = 900


@dataclass(frozen=True)
class Project:
    """A copy of the working tree, and the emulated AWS it is deployed to."""

    directory: Path
    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """What an operator's shell holds."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DJANGO_", "DYNAMODB_"))
        }
        return kept | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "VIRTUAL_ENV": sys.prefix,
            "PYTHONWARNINGS": "ignore",
        }

    def choose(self, stage: str, **choices: str) -> None:
        """Write the stage's file of choices."""
        lines = [f"{name}={value}\n" for name, value in (CHOICES | choices).items()]
        (self.directory / f".env.{stage}").write_text("".join(lines))

    def zappa(self, *arguments: str, fails: bool = False, **variables: str) -> str:
        """Run Zappa's command line, with these variables besides the operator's, and return what it prints."""
        command = [sys.executable, "-m", "zappa.cli", *arguments]
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert bool(done.returncode) == fails, printed
        return printed

    def manage(self, stage: str, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        """Run manage.py on the operator's machine, for a stage's tables."""
        environment = self.environment | {
            "AWS_ENDPOINT_URL_DYNAMODB": self.endpoint,
            "AWS_REGION": REGION,
            "DYNAMODB_TABLE_PREFIX": f"eventsite-{stage}-",
        }
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command,
            cwd=self.directory,
            env=environment,
            input=answer,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def client(self, service: str) -> Any:
        """A client of the emulated AWS, as the operator."""
        session: Any = boto3
        return session.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def outputs(self, stage: str) -> dict[str, str]:
        """The outputs of the stage's stack."""
        found = self.client("cloudformation").describe_stacks(StackName=f"eventsite-{stage}")["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    def set_variables(self, stage: str, **variables: str) -> None:
        """Change variables of the deployed function, for what only an emulator needs."""
        function = self.client("lambda").get_function_configuration(FunctionName=f"eventsite-{stage}")
        changed = function["Environment"]["Variables"] | variables
        self.client("lambda").update_function_configuration(
            FunctionName=f"eventsite-{stage}", Environment={"Variables": changed}
        )

    def api(self, stage: str) -> str:
        """The id of the stage's API."""
        return self.outputs(stage)["ApiId"]

    def url(self, stage: str) -> str:
        """Where the emulated API Gateway serves the stage."""
        return f"{self.endpoint}/_aws/execute-api/{self.api(stage)}/{stage}"


@contextmanager
def checkout(directory: Path) -> Iterator[Project]:
    """A copy of the working tree beside a running emulated AWS that enforces IAM."""
    copy = directory / "eventsite"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    shutil.copyfile(ROOT / ".env.example", copy / ".env.example")
    settings = json.loads((copy / "zappa_settings.json").read_text())
    settings["spare"] = {"extends": "dev"}  # which never gets deployed
    settings["told"] = {"extends": "dev"}  # which has every outlet
    (copy / "zappa_settings.json").write_text(json.dumps(settings))
    with running_engine(python=_emulator_python(directory / "emulator"), module=CLOUD, AUTH="true") as endpoint:
        yield Project(copy, endpoint)


def _emulator_python(directory: Path) -> Path:
    """Make a virtualenv for the emulator, whose Lambda runs in it: nothing of the project may leak in.

    It links to the installed emulator and its dependencies, which takes no network and half a second.
    """
    venv.create(directory, with_pip=False)
    (target,) = (directory / "lib").glob("python*/site-packages")
    for name in _with_dependencies("ministack", "cryptography", "boto3", "hypercorn"):
        installed = distribution(name)
        for top in {file.parts[0] for file in installed.files or [] if ".." not in file.parts}:
            source, link = Path(str(installed.locate_file(top))), target / top
            if not link.exists() and top != "__pycache__":
                link.symlink_to(source)
    return directory / "bin" / "python"


def _with_dependencies(*names: str) -> set[str]:
    """Return these distributions and all that they need here."""
    found: set[str] = set()
    wanted = list(names)
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name in found:
            continue
        found.add(name)
        needed = [Requirement(line) for line in distribution(name).requires or []]
        wanted += [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found
