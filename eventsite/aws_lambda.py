"""The Lambda's entry point, without the imports that no request needs.

A request of API Gateway goes straight to the WSGI application (`eventsite.web.gateway`), records of a stream or a queue
to the function that the settings name, and everything else, such as commands and schedules, to Zappa's handler.

Some imports of Zappa, werkzeug, DRF and PynamoDB serve a command line, a development server, documentation, an SQL
database or botocore's generic client, and would cost half of a cold start. Light stand-ins replace them during the
imports. Code that needs the real modules later gets them.
"""

import gc
import importlib
import importlib.util
import inspect
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from botocore.exceptions import ClientError


def _later(module: str, function: str) -> Any:
    """Return a function that imports the real one when it is called."""

    def real(*args: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(module), function)(*args, **options)

    return real


def _stand_in(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


def _no_loop() -> Any:
    raise RuntimeError("no running event loop")


def _real_asyncio(name: str) -> Any:
    return getattr(importlib.import_module("asyncio"), name)


# PynamoDB uses these in annotations, and calls some of them with DYNAMODB_CLIENT=botocore.
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
BOTO3 = _stand_in("boto3", Session=object)  # only in annotations of Zappa
POWERTOOLS = "aws_lambda_powertools.utilities"
IS_COROUTINE = {"iscoroutine": inspect.iscoroutine, "iscoroutinefunction": inspect.iscoroutinefunction}
MAIL = ("get_connection", "mail_managers")
OTHERS = [
    # Django asks whether functions, answers and callers are asynchronous. Here none is.
    _stand_in("asyncio", __getattr__=_real_asyncio, get_running_loop=_no_loop, **IS_COROUTINE),
    _stand_in("asyncio.coroutines"),
    # Only a correlation id that is found by an expression needs it.
    _stand_in(f"{POWERTOOLS}.jmespath_utils", query=_later(f"{POWERTOOLS}.jmespath_utils", "query")),
    BOTO3,
    # Only Django's reports of errors and broken links by mail, which nothing here sends, need it.
    _stand_in("django.core.mail", **{name: _later("django.core.mail", name) for name in MAIL}),
    _stand_in("sqlparse"),  # only migrations
    # Only schemas need it, and it imports the admin of Django.
    _stand_in(
        "django.contrib.admindocs.views", simplify_regex=_later("django.contrib.admindocs.views", "simplify_regex")
    ),
]


@contextmanager
def _standing_in(*stand_ins: ModuleType) -> Iterator[None]:
    # One that is imported already costs nothing. Without its package, its parts could not be imported again.
    modules = [module for module in stand_ins if module.__name__ not in sys.modules]
    for module in modules:
        sys.modules[module.__name__] = module
        _hang(module.__name__, module)
    yield
    for module in modules:
        del sys.modules[module.__name__]
        _hang(module.__name__, None)


def _hang(name: str, module: ModuleType | None) -> None:
    """Set a module as an attribute of its package, where import statements look for it. None removes it."""
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
    """Renew the random seed and the connections in each copy of a SnapStart snapshot.

    With one seed all copies would retry at the same moments. The connections, and perhaps the credentials, of the
    process in the snapshot are gone.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    from eventsite.dynamodb.connection import disconnect

    if importlib.util.find_spec("snapshot_restore_py"):  # runtimes without SnapStart do not have it
        hooks = importlib.import_module("snapshot_restore_py")
        hooks.register_after_restore(random.seed)
        hooks.register_after_restore(disconnect)


def _receiver(source: str) -> Any:
    """Import the function that takes the records of a source. No request needs it."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    return import_string(settings.RECORDS_TO[source])


gc.disable()  # nothing that is imported is garbage
with _standing_in(*GENERIC_CLIENT):
    importlib.import_module("pynamodb.connection")
sys.modules["yaml"] = None  # type: ignore[assignment] # importing it fails: DRF can do without, others import it later
with _standing_in(*OTHERS):
    from eventsite.wsgi import application  # it sets Django up, which the next import needs
    from eventsite.web import gateway  # isort: skip
del sys.modules["yaml"]
_let_copies_differ()
gc.freeze()
gc.set_threshold(
    20_000
)  # objects; a page of a list makes some 5,000 at once, and with 700 they are traversed seven times
gc.enable()


@cache
def _zappa() -> Any:
    """Import Zappa's handler, which brings werkzeug along."""
    _skip_init("werkzeug")  # it imports a server and a test client
    with _standing_in(BOTO3):
        return importlib.import_module("zappa.handler").lambda_handler


def lambda_handler(event: Any, context: Any) -> Any:
    """Handle an event of any kind."""
    if records := event.get("Records"):
        return _receiver(records[0]["eventSource"])(event, context)
    if gateway.takes(event):
        return gateway.answer(application, event, context)
    return _zappa()(event, context)


__all__ = ["lambda_handler"]
