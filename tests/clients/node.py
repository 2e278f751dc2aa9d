"""Programs for Node.js: what package.json names beside this file is installed once, where Node is."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tour import ROOT

PACKAGE = Path(__file__).with_name("package.json")
HERE = ROOT / ".node"
"""Outside of the tree that tests and linters walk through."""
MODULES = HERE / "node_modules"
INSTALLED = MODULES / ".package-lock.json"
INSTALL_SECONDS = 600
RUN_SECONDS = 300


def installed() -> Path:
    """Return the folder of the installed packages. Skips the test where there is no Node, or no way to install."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js and npm are needed.")
    HERE.mkdir(exist_ok=True)
    with PACKAGE.open() as package:
        fcntl.flock(package, fcntl.LOCK_EX)  # one installation, however many processes test
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < os.fstat(package.fileno()).st_mtime:
            shutil.copy(PACKAGE, HERE)
            command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
            done = subprocess.run(
                command, cwd=HERE, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
            )
            if done.returncode:
                pytest.skip(f"npm cannot install: {done.stderr[-300:]}")
            INSTALLED.touch()
    return MODULES


def run(program: str, *, stdin: bytes = b"") -> bytes:
    """Run a program, an ES module, that may import the installed packages. Returns: what it printed."""
    installed()
    command = ["node", "--input-type=module", "--eval", program]
    done = subprocess.run(command, cwd=HERE, input=stdin, capture_output=True, timeout=RUN_SECONDS, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def tool(name: str, *arguments: str | Path, folder: Path) -> str:
    """Run an installed program such as tsc in a folder. Returns: what it printed; it must succeed."""
    command = [installed() / ".bin" / name, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
