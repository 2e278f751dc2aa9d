"""The Lambda's entry point: Zappa's handler, without the weight that no request needs.

Some of what Zappa, werkzeug, DRF and PynamoDB import serves a command line, a development server, a page of
documentation, a relational database or the SDK's generic client, and would cost half of a cold start. While they are
imported, light stand-ins take its place; afterwards whoever asks for it gets the real thing.
"""

import gc
import importlib
import importlib.util
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from botocore.exceptions import ClientError


def _later(module: str, function: str) -> Any:
    """A function that imports the real one when it is called."""

    def real(*args: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(module), function)(*args, **options)

    return real


def _stand_in(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


# What PynamoDB mentions in annotations, or calls where DYNAMODB_CLIENT asks for it.
GENERIC_CLIENT = [
    _stand_in("botocore.client", BaseClient=object, ClientError=ClientError),
    _stand_in("botocore.config"),
    _stand_in("botocore.credentials", Credentials=object),
    _stand_in("botocore.endpoint", Endpoint=object),
    _stand_in("botocore.hooks", HierarchicalEmitter=object),
    _stand_in("botocore.model"),
    _stand_in("botocore.session", Session=object, get_session=_later("botocore.session", "get_session")),
    _stand_in("botocore.signers", RequestSigner=object),
]
OTHERS = [
    _stand_in("boto3", Session=object),  # mentioned in annotations of Zappa's
    # It finds paths in patterns, for schemas only, and brings in Django's admin.
    _stand_in(
        "django.contrib.admindocs.views", simplify_regex=_later("django.contrib.admindocs.views", "simplify_regex")
    ),
]


@contextmanager
def _standing_in(*modules: ModuleType) -> Iterator[None]:
    for module in modules:
        sys.modules[module.__name__] = module
        _hang(module.__name__, module)
    yield
    for module in modules:
        del sys.modules[module.__name__]
        _hang(module.__name__, None)


def _hang(name: str, module: ModuleType | None) -> None:
    """Make a module an attribute of its package, where an import statement looks for it; None: make it none."""
    package, _, own = name.rpartition(".")
    if package in sys.modules:
        if module:
            setattr(sys.modules[package], own, module)
        elif hasattr(sys.modules[package], own):
            delattr(sys.modules[package], own)


def _skip_init(package: str) -> None:
    """Let a package's modules be imported without running its ``__init__``."""
    spec = importlib.util.find_spec(package)
    if spec:
        sys.modules[package] = importlib.util.module_from_spec(spec)


def _let_copies_differ() -> None:
    """With SnapStart, renew in each copy of the snapshot what the copies must not share.

    Waits drawn from one seed would let all copies meet again and again; and none of them has the connections, nor
    perhaps the credentials, of the process that the snapshot was taken of.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    from eventsite.dynamodb.connection import disconnect

    if importlib.util.find_spec("snapshot_restore_py"):  # runtimes without SnapStart do not have it
        hooks = importlib.import_module("snapshot_restore_py")
        hooks.register_after_restore(random.seed)
        hooks.register_after_restore(disconnect)


def _receiver(source: str) -> Any:
    """Who takes the records of a source. It is imported when there are some, as no request needs it."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    return import_string(settings.RECORDS_TO[source])


gc.disable()  # nothing that is imported is garbage
_skip_init("werkzeug")  # it imports a server and a test client
with _standing_in(*GENERIC_CLIENT):
    importlib.import_module("pynamodb.connection")
sys.modules["yaml"] = None  # type: ignore[assignment] # importing it fails: DRF can do without, others import it later
with _standing_in(*OTHERS):
    from zappa.handler import lambda_handler as _handle
del sys.modules["yaml"]
_let_copies_differ()
gc.freeze()
gc.enable()


def lambda_handler(event: Any, context: Any) -> Any:
    """Zappa's handler, but for records of a stream or a queue, which go straight to whom the settings name.

    What it can make no request of, or no answer, is answered by the service all the same.
    """
    if records := event.get("Records"):
        return _receiver(records[0]["eventSource"])(event, context)
    answer = _handle(event, context)
    if event.get("httpMethod") and "headers" in event and "headers" not in answer:
        from eventsite.web import wsgi

        return _handle(wsgi.stand_in(event), context)
    return answer


__all__ = ["lambda_handler"]
