"""The Lambda package: only the modules that a request needs, compiled.

Zappa would zip the active virtualenv and the working directory, `.env` included, and without bytecode that Python
accepts: in a zip every file is from 1980, so each cold start would compile everything again. So zappa_settings.json
excludes all of that. This module adds the packages of requirements.lock, the apps, and the modules of Zappa that run in
the Lambda, with bytecode that is valid whatever the dates are (PEP 552). Only the apps keep their sources.
"""

import compileall
import gzip
import importlib.util
import json
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import zappa
from click import ClickException

from eventsite.deployment import sbom

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("eventsite", "events", "registrations", "users")
LEFT_OUT = frozenset({"__pycache__", "deployment", "local", "transfer"})
LEFT_OUT |= {"follow.py", "following.py", "load_demo.py", "local_user.py", "locally.py"}  # for local runs
LEFT_OUT |= {"dead_letters.py", "export.py", "import.py", "plan.py", "stage_command.py", "user.py"}  # for operators
KINDS = {  # of the files of an app, by folder: keys, notes and backups must not get into the package
    "static": frozenset({".css", ".ico", ".js", ".png", ".svg", ".webmanifest", ".woff2"}),
    "templates": frozenset({".html", ".txt"}),
    "": frozenset({".py"}),
}
DOCUMENTS = ("introduction.md",)
ZAPPA_MODULES = ("__init__", "asgi", "handler", "middleware", "utilities", "wsgi", "ext/__init__", "ext/django_zappa")
SETTINGS_FILE = "zappa_settings.py"

SERVICES = ("dynamodb", "dynamodbstreams", "events", "sesv2", "sqs")  # that the Lambda calls
ENDPOINTS = ("dynamodb", "email", "events", "sqs", "streams.dynamodb")  # their names in botocore's list of endpoints
AWS_DATA = frozenset({"_retry.json", *SERVICES, "endpoints.json", "partitions.json", "sdk-default-configuration.json"})
PRUNED = (  # installed with the requirements, but the Lambda never imports them
    *("bin", "**/*.mo", "**/*.po", "**/*.map", "**/*.pyi", "**/*.c", "**/__pycache__", "**/tests"),
    *("dateutil/zoneinfo/*.tar.gz", "*.dist-info/sboms"),  # tzdata has the zones, and ours is one bill of materials
    *("*.dist-info/RECORD", "*.dist-info/REQUESTED", "*.dist-info/direct_url.json"),  # they depend on the machine
    *("django/contrib/admin/static", "django/contrib/gis", "django/contrib/postgres"),
    *("django/db/backends/mysql", "django/db/backends/oracle", "django/db/backends/postgresql"),
    *("aws_lambda_powertools/event_handler", "aws_lambda_powertools/utilities/[!jt_]*"),  # its logger imports two
    # drf-spectacular needs them to validate a schema, which only the tests do.
    *("attr", "attrs", "jsonschema", "jsonschema_specifications", "referencing", "rpds"),
    # PyYAML works without its library, only slower; cryptography's binding is compiled.
    *("_yaml", "yaml/_yaml*", "cffi", "pycparser"),
)

# What the runtime can load: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
FROM_2023 = ("manylinux_2_28", "manylinux_2_34") if sys.version_info >= (3, 12) else ()  # in Amazon Linux 2023
PLATFORMS = ("manylinux2014", "manylinux_2_17", *FROM_2023)
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


def fill(archive: Path, *, architecture: str) -> None:
    """Replace the contents of Zappa's zip, except its settings, and write the bill of materials beside it."""
    with zipfile.ZipFile(archive) as written:
        settings = written.read(SETTINGS_FILE)
    with tempfile.TemporaryDirectory(prefix="eventsite-package-") as directory:
        target = Path(directory)
        (target / SETTINGS_FILE).write_bytes(settings)
        build(target, architecture=architecture)
        archive.with_suffix(".cdx.json").write_text(sbom.document(target))
        _write(target, archive)


def build(target: Path, *, architecture: str) -> None:
    """Write the contents of the package, unzipped, to a directory."""
    _install(target, architecture)
    copy_apps(target)
    for module in ZAPPA_MODULES:
        copy = target / "zappa" / f"{module}.py"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(zappa.__file__).parent / f"{module}.py", copy)
    _prune(target)
    lighten(target / "botocore" / "data")
    compile_all(target)
    _drop_sources(target)


def copy_apps(target: Path, root: Path = ROOT) -> None:
    """Copy the apps to a directory, without the modules for local runs and for the operator's machine."""
    for app in APPS:
        shutil.copytree(root / app, target / app, ignore=partial(_unwanted, root))


def _unwanted(root: Path, folder: str, names: list[str]) -> list[str]:
    kinds = KINDS[next((part for part in Path(folder).relative_to(root).parts if part in KINDS), "")]
    hidden = [name for name in names if name in LEFT_OUT or name[0] == "." or Path(folder, name).is_symlink()]
    files = [name for name in names if not Path(folder, name).is_dir() and name not in DOCUMENTS]
    return hidden + [name for name in files if Path(name).suffix not in kinds]


def _install(target: Path, architecture: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    command += ["--target", str(target), "--only-binary=:all:", "--implementation=cp", "--no-warn-conflicts"]
    command += [f"--python-version={sys.version_info.major}.{sys.version_info.minor}"]
    command += [f"--platform={platform}_{MACHINES[architecture]}" for platform in PLATFORMS]
    command += ["--require-hashes", "--requirement", str(ROOT / "requirements.lock")]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 (no part of it is input)
        raise ClickException("pip could not install the requirements; the reason is above.")


def _prune(target: Path) -> None:
    unused_data = [entry for entry in (target / "botocore" / "data").iterdir() if entry.name not in AWS_DATA]
    for path in [*(path for pattern in PRUNED for path in target.glob(pattern)), *unused_data]:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def lighten(data: Path) -> None:
    """Delete the data of botocore that our clients do not read, because making a client parses all of it."""
    for packed in data.glob("*/*/*.json.gz"):
        model = json.loads(gzip.decompress(packed.read_bytes()), object_hook=_undocumented)
        packed.with_suffix("").write_text(json.dumps(model))
        packed.unlink()
    endpoints = data / "endpoints.json"
    table = json.loads(endpoints.read_text())
    for partition in table["partitions"]:
        partition["services"] = {name: partition["services"].get(name, {"endpoints": {}}) for name in ENDPOINTS}
    endpoints.write_text(json.dumps(table))


def _undocumented(model: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in model.items() if name != "documentation" or not isinstance(value, str)}


def compile_all(target: Path) -> None:
    """Compile every module to unchecked bytecode, which needs no source (PEP 552)."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(target, quiet=2, force=True, stripdir=str(target), invalidation_mode=mode, workers=0)


def _drop_sources(target: Path) -> None:
    """Delete the sources of third-party packages, a quarter of the package that nothing reads."""
    for source in target.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if source.relative_to(target).parts[0] not in (*APPS, SETTINGS_FILE) and compiled.exists():
            compiled.rename(source.with_suffix(".pyc"))
            source.unlink()


def _write(source: Path, archive: Path) -> None:
    """Zip a directory. The same files always give the same bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(source).as_posix())  # of 1980, whenever it was made
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            package.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
