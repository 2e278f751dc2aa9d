"""What of our own goes into the Lambda package."""

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from importlib import metadata
from pathlib import Path

import botocore.loaders
import botocore.session
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from eventsite.deployment import lambda_package, sbom
from eventsite.deployment.lambda_package import ROOT
from eventsite.local import user_pool


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    lambda_package.copy_apps(tmp_path)
    return tmp_path


def test_the_apps_are_in_it(packed: Path) -> None:
    assert (packed / "registrations" / "views.py").exists()


@pytest.mark.parametrize("left_out", ["eventsite/local", "eventsite/deployment", "registrations/transfer"])
def test_what_never_runs_in_the_lambda_is_not(packed: Path, left_out: str) -> None:
    assert not (packed / left_out).exists()


def test_no_module_in_it_imports_one_that_is_left_out(packed: Path) -> None:
    modules = list(packed.rglob("*.py"))
    assert len(modules) > 50
    wanted = ("from eventsite.local", "import eventsite.local", "from eventsite.deployment", "registrations.transfer")
    assert [path for path in modules if any(line in path.read_text() for line in wanted)] == []


def test_no_password_is_in_it(packed: Path) -> None:
    assert [path for path in packed.rglob("*.*") if user_pool.PASSWORD in path.read_text()] == []


def test_all_files_of_the_apps_in_git_are_in_it_or_left_out_on_purpose(packed: Path) -> None:
    command = ["git", "ls-files", *lambda_package.APPS]
    known = subprocess.run(command, cwd=lambda_package.ROOT, capture_output=True, text=True, check=False)
    if known.returncode:
        pytest.skip("not a checkout of git")
    wanted = {path for path in known.stdout.split() if not lambda_package.LEFT_OUT & set(Path(path).parts)}
    found = {str(path.relative_to(packed)) for path in packed.rglob("*") if path.is_file()}
    assert wanted - found == set()


STRAY = [
    "id_rsa",
    "notes.bak",
    ".env",
    "notes.txt",
    "views.py~",
    "views.py.orig",
    "#views.py#",
    "a.pem",
    "dump.json",
    "x.html",
]


@pytest.mark.parametrize("folder", ["", "static", "static/eventsite", "templates", "web", "management/commands"])
def test_stray_files_stay_on_the_operators_machine(tmp_path: Path, folder: str) -> None:
    for app in lambda_package.APPS:
        place = tmp_path / "static" / app / folder  # what lies above the checkout decides nothing
        place.mkdir(parents=True)
        for name in [*STRAY, "kept.py", "kept.css"]:
            (place / name).write_text("secret")
        (place / "linked.py").symlink_to(place / "id_rsa")
    lambda_package.copy_apps(tmp_path / "target", tmp_path / "static")
    found = {path.name for path in (tmp_path / "target").rglob("*") if path.is_file()}
    shown = {"static": {"kept.css"}, "templates": {"x.html", "notes.txt"}}.get(folder.partition("/")[0], {"kept.py"})
    assert found == shown


@pytest.fixture(scope="module")
def lightened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the package keeps of botocore's data."""
    kept = tmp_path_factory.mktemp("data")
    for name in lambda_package.AWS_DATA:
        path = Path(botocore.loaders.__file__).with_name("data") / name
        copy = shutil.copytree if path.is_dir() else shutil.copyfile
        copy(path, kept / name)
    lambda_package.lighten(kept)
    return kept


@pytest.mark.parametrize("service", lambda_package.SERVICES)
def test_what_it_keeps_of_botocore_makes_the_clients_that_are_needed(
    lightened: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    session = botocore.session.Session()
    loader = botocore.loaders.Loader([str(lightened)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    client = session.create_client(
        service, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    assert client.meta.endpoint_url.endswith(".eu-central-1.amazonaws.com")
    assert loader.list_available_services("service-2") == sorted(lambda_package.SERVICES)


def pinned() -> dict[str, str]:
    """The packages of requirements.lock with their versions."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))


def test_the_lock_has_what_the_requirements_ask_for_with_hashes_and_from_no_particular_place() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = pinned()
    assert [str(each) for each in wanted if versions[canonicalize_name(each.name)] not in each.specifier] == []
    lock = (ROOT / "requirements.lock").read_text()
    assert lock.count("==") == len(re.findall(r"==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", lock))
    assert "://" not in lock and "--index" not in lock.replace("--no-emit-index-url", "")


def test_the_packed_versions_are_those_of_the_tests() -> None:
    installed = {name: metadata.version(name) for name in pinned()}
    assert installed == pinned()


def test_every_licence_of_the_package_is_listed_and_known() -> None:
    licences = {name: sbom.licence(metadata.distribution(name)) for name in pinned()}
    page = (ROOT / "docs" / "licences.md").read_text()
    assert dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", page, re.MULTILINE)) == {"package": "licence"} | licences
    assert "unknown" not in licences.values()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two packages of this checkout, made one after the other."""
    packages = []
    for number in range(2):
        packages.append(tmp_path_factory.mktemp("filled") / f"package-{number}.zip")
        with zipfile.ZipFile(packages[-1], "w") as package:
            package.writestr("zappa_settings.py", "")
        lambda_package.fill(packages[-1], architecture="x86_64")
    return packages


@pytest.mark.slow
def test_two_packages_of_one_commit_are_the_same_bytes(filled: list[Path]) -> None:
    first, second = (hashlib.sha256(package.read_bytes()).hexdigest() for package in filled)
    assert first == second


@pytest.mark.slow
def test_the_bill_of_materials_lists_the_packages(filled: list[Path]) -> None:
    document = json.loads(filled[0].with_suffix(".cdx.json").read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert {each["name"]: each["version"] for each in document["components"]} == pinned()
    assert all(each["licenses"][0]["license"]["name"] != "unknown" for each in document["components"])
    assert filled[0].with_suffix(".cdx.json").read_text() == filled[1].with_suffix(".cdx.json").read_text()


@pytest.mark.slow
def test_the_package_is_no_larger_than_it_was(filled: list[Path]) -> None:
    with zipfile.ZipFile(filled[0]) as package:
        assert sum(entry.file_size for entry in package.infolist()) <= 41_000_000
