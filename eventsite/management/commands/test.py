"""``manage.py test [ARGUMENTS]``: the test suite, which runs under pytest."""

import subprocess
import sys
from importlib.util import find_spec

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Runs the tests with pytest. All arguments are pytest's: see `python -m pytest --help`."

    def run_from_argv(self, argv: list[str]) -> None:
        if find_spec("pytest") is None:
            sys.exit("Testing needs more than serving: pip install -r requirements-dev.txt")
        command = [sys.executable, "-m", "pytest", *argv[2:]]
        sys.exit(subprocess.call(command, cwd=settings.BASE_DIR))  # noqa: S603 (the operator's own arguments)
