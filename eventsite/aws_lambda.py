"""The Lambda's entry point: Zappa's handler, without the weight that no request needs.

Some of what Zappa, werkzeug and DRF import serves a command line, a development server or a page of documentation,
and would cost a third of a cold start. While they are imported, light stand-ins take its place; afterwards whoever
asks for it gets the real thing.
"""

import gc
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


def _simplify_regex(pattern: str) -> str:
    from django.contrib.admindocs.views import simplify_regex

    return str(simplify_regex(pattern))


def _stand_in(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


STAND_INS = {
    "boto3": _stand_in("boto3", Session=object),  # mentioned in annotations of Zappa's
    # It finds paths in patterns, for schemas only, and brings in Django's admin.
    "django.contrib.admindocs.views": _stand_in("django.contrib.admindocs.views", simplify_regex=_simplify_regex),
    "yaml": None,  # importing it fails: DRF can do without, and drf-spectacular imports it later
}


@contextmanager
def _standing_in() -> Iterator[None]:
    sys.modules.update(STAND_INS)  # type: ignore[arg-type] # None is Python's word for "fails"
    yield
    for name in STAND_INS:
        del sys.modules[name]


def _skip_init(package: str) -> None:
    """Let a package's modules be imported without running its ``__init__``."""
    spec = importlib.util.find_spec(package)
    if spec:
        sys.modules[package] = importlib.util.module_from_spec(spec)


gc.disable()  # nothing that is imported is garbage
_skip_init("werkzeug")  # it imports a server and a test client
with _standing_in():
    from zappa.handler import lambda_handler
gc.freeze()
gc.enable()

__all__ = ["lambda_handler"]
