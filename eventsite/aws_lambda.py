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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from botocore.exceptions import ClientError


def _stand_in(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


def _functions_of(module: str, **contents: Any) -> ModuleType:
    """Stand in for a module of functions. Each imports the real module when it is called."""

    def function(name: str) -> Any:
        def real(*args: Any, **options: Any) -> Any:
            return getattr(importlib.import_module(module), name)(*args, **options)

        return real

    return _stand_in(module, __getattr__=function, **contents)


def _unused(module: str, **contents: Any) -> ModuleType:
    """Stand in for a module whose names are only imported, inherited from and compared with. Each is an empty class."""

    def name(name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda *_, **__: None})

    return _stand_in(module, __getattr__=name, **contents)


def _no_loop() -> Any:
    raise RuntimeError("no running event loop")


def _real_asyncio(name: str) -> Any:
    return getattr(importlib.import_module("asyncio"), name)


def _register(*_: Any, **__: Any) -> Any:
    """Stand in for the registration of a check, which is a decorator too."""
    return lambda check: check


IS_COROUTINE = {"iscoroutine": inspect.iscoroutine, "iscoroutinefunction": inspect.iscoroutinefunction}
GENERIC_CLIENT = [
    # PynamoDB uses these in annotations, and calls some of them with DYNAMODB_CLIENT=botocore.
    *map(_unused, ("botocore.config", "botocore.credentials", "botocore.endpoint", "botocore.hooks", "botocore.model")),
    _unused("botocore.client", ClientError=ClientError),
    _functions_of("botocore.session", Session=object),
    _unused("botocore.signers"),
]
BOTO3 = _unused("boto3")  # only in annotations of Zappa
OTHERS = [
    # Django asks whether functions, answers and callers are asynchronous. Here none is.
    _stand_in("asyncio", __getattr__=_real_asyncio, get_running_loop=_no_loop, **IS_COROUTINE),
    _functions_of("asgiref.sync", markcoroutinefunction=lambda function: function, **IS_COROUTINE),
    # Only a correlation id that is found by an expression needs it.
    _functions_of("aws_lambda_powertools.utilities.jmespath_utils"),
    _unused("aws_lambda_powertools.tracing"),  # a decorator of functions that record more than Lambda does
    BOTO3,
    # Only Django's reports of errors and broken links by mail, which nothing here sends, need them.
    _functions_of("django.core.mail"),
    _functions_of("django.views.debug"),
    # No data is in an SQL database, and no form is Django's: their names are only for questions what something is.
    *map(_unused, ("django.db.models", "django.db.models.fields", "django.db.models.query")),
    *map(_unused, ("django.forms", "django.forms.utils")),
    *(_unused(f"django.views.generic.{kind}") for kind in ("dates", "detail", "edit", "list")),
    # Only `manage.py check` needs what the apps register, and only a terminal has colours.
    _unused("django.core.checks", register=_register, Tags=_stand_in("Tags", __getattr__=str)),
    _functions_of("django.core.checks.urls"),
    _unused("django.core.management.color"),
    # Only a development server loads changed files again.
    *map(_unused, ("django.template.autoreload", "django.utils.autoreload")),
    # drf-spectacular makes the OpenAPI document.
    _unused("rest_framework.schemas.openapi"),
]
WITHOUT = ("bz2", "inflection", "lzma", "uritemplate", "yaml")
"""Modules that DRF and shutil do without if importing them fails. Others import them later."""


@contextmanager
def _standing_in(*stand_ins: ModuleType, without: Iterable[str] = ()) -> Iterator[None]:
    # One that is imported already costs nothing. Without its package, its parts could not be imported again.
    replaced: dict[str, Any] = {module.__name__: module for module in stand_ins} | dict.fromkeys(without)
    names = [name for name in replaced if name not in sys.modules]
    for name in names:
        sys.modules[name] = replaced[name]
        _hang(name, replaced[name])
    yield
    for name in names:
        del sys.modules[name]
    for name in names:  # a stand-in of a package keeps its parts, which those who imported it look for
        _hang(name, None)


def _hang(name: str, module: ModuleType | None) -> None:
    """Set a module as an attribute of its package, where import statements look for it. None removes it."""
    package, _, own = name.rpartition(".")
    if package in sys.modules:
        if module:
            setattr(sys.modules[package], own, module)
        else:
            vars(sys.modules[package]).pop(own, None)


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


gc.disable()  # nothing that is imported is garbage
with _standing_in(*GENERIC_CLIENT):
    importlib.import_module("pynamodb.connection")
with _standing_in(*OTHERS, without=WITHOUT):
    from eventsite.wsgi import application  # it sets Django up, which the next import needs
    from eventsite.web import gateway  # isort: skip
_let_copies_differ()
gc.freeze()
gc.set_threshold(20_000)  # objects; a list makes some 5,000 at once, and with 700 they are traversed seven times
gc.enable()


@cache
def _zappa() -> Any:
    """Import Zappa's handler, and modules of werkzeug without its ``__init__``, which imports a server."""
    if spec := importlib.util.find_spec("werkzeug"):
        sys.modules["werkzeug"] = importlib.util.module_from_spec(spec)
    with _standing_in(BOTO3):
        return importlib.import_module("zappa.handler").lambda_handler


def lambda_handler(event: Any, context: Any) -> Any:
    if records := event.get("Records"):
        from django.conf import settings
        from django.utils.module_loading import import_string

        receiver = import_string(settings.RECORDS_TO[records[0]["eventSource"]])  # no request needs it
        return receiver(event, context)
    if gateway.takes(event):
        return gateway.answer(application, event, context)
    return _zappa()(event, context)
