"""A checkout of this project, deployed with Zappa to an emulated AWS."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from eventsite.deployment.lambda_package import ROOT
from tests.engines import running_engine

REGION = "eu-west-1"
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

    def api(self, stage: str) -> str:
        """The id of the stage's API."""
        names = {api["name"]: api["id"] for api in self.client("apigateway").get_rest_apis()["items"]}
        return str(names[f"eventsite-{stage}"])

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
    settings["told"] = {"extends": "dev"}  # which tells what happens
    (copy / "zappa_settings.json").write_text(json.dumps(settings))
    with running_engine(python=_emulator_python(directory / "emulator"), module="ministack", AUTH="true") as endpoint:
        yield Project(copy, endpoint)


def _emulator_python(directory: Path) -> Path:
    """A virtualenv of the emulator's own, as the Lambda runs in it: nothing of the project may leak in."""
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    python = directory / "bin" / "python"
    requirements = (ROOT / "requirements-dev.txt").read_text().splitlines()
    wanted = [line for line in requirements if line.startswith(("ministack", "cryptography", "boto3~"))]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], check=True)
    return python
