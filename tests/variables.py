"""Every environment variable that the service reads, out of its source."""

import ast
import re
from pathlib import Path

from tests.tour import ROOT

APPS = ("eventsite", "events", "registrations", "users")
READERS = {
    *("text", "word", "switch", "number", "parts", "hosts", "directory", "url", "trusted_url", "webhook_urls"),
    *("signing_secrets", "get"),
}
OF_AWS = {"AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"}
"""What the settings look at and is AWS's to explain."""


def read_by_the_settings() -> set[str]:
    """The names of all variables that the settings read."""
    tree = ast.parse((ROOT / "eventsite" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    first = [call.args[0] for call in calls if _called(call) in READERS]
    return {str(name.value) for name in first if isinstance(name, ast.Constant)}


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def modules_that_look_at_the_environment() -> set[str]:
    """The files of the service that mention `os.environ`."""
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    return {str(path.relative_to(ROOT)) for path in files if _looks(path)}


def documented_metrics() -> set[str]:
    """The metrics that docs/operations.md lists, which a test holds to those that the service counts."""
    page = (ROOT / "docs" / "operations.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z]\w+)`", row)}


def _looks(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text()))
    return any(isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") for node in nodes)
