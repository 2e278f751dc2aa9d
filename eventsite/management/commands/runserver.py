"""``manage.py runserver``: Django's development server, with a DynamoDB engine beside it and its tables made."""

import os
import signal
import sys
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import runserver
from django.utils import autoreload
from django.utils.module_loading import import_string

from eventsite.auth import user_pool
from eventsite.dynamodb import connection, tables
from eventsite.dynamodb.explain import sentence
from eventsite.dynamodb.retries import FAILURES
from eventsite.env import text
from eventsite.errors import Unavailable

ANY_ADDRESS = ("0", "0.0.0.0", "::")  # noqa: S104 (what an operator may have asked for)
LARGEST_PORT = 65535


def url_of(address: str, port: str) -> str:
    """Return the URL of a server for a browser on this machine, by the address that the server listens on."""
    host = "localhost" if address in ANY_ADDRESS else f"[{address}]" if ":" in address else address
    return f"http://{host}:{port}"


def _end_on_signals() -> None:
    """End on SIGINT and SIGTERM, also where the process was started with SIGINT ignored, as background jobs are."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


class Command(runserver.Command):
    help = f"{runserver.Command.help} Without AWS_ENDPOINT_URL_DYNAMODB it starts a DynamoDB engine beside itself."
    addr: str
    port: str

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--demo", action="store_true", help="begin with a season of events, as load_demo makes it")

    def run(self, **options: Any) -> None:
        """Take a lease of the engine first.

        With the autoreloader, this process starts one child after another. Its own lease keeps the engine running
        between them.
        """
        if int(self.port) > LARGEST_PORT:
            raise CommandError(f"There is no port {self.port}: the last one is {LARGEST_PORT}.")
        _end_on_signals()
        if os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) != "true":
            self.stdout.write(self._find_data())
            if settings.AUTH_MODE == "cognito" and settings.LOCAL_POOL:
                pool = user_pool.pool().issuer.rpartition("/")[2]
                makes = "`python manage.py local_user NAME` makes a user."
                self.stdout.write(f"Sign-in: user pool {pool} of the embedded engine; {makes}")
            if options["demo"]:
                call_command("load_demo")
        super().run(**options)

    def inner_run(self, *args: Any, **options: Any) -> None:
        autoreload.raise_last_exception()  # a model that cannot be imported has no table
        try:
            made = tables.create_missing() if settings.LOCAL else []
        except FAILURES as error:
            self.stderr.write(f"Error: {sentence(error)}")
            self.stdout.flush()
            self.stderr.flush()
            os._exit(1)  # the autoreloader runs this in a thread, where sys.exit would end nothing
        for table in made:
            self.stdout.write(f"Created the table {table}.")
        if settings.LOCAL and not text("PUBLIC_URL"):
            settings.PUBLIC_URL = f"{url_of(self.addr, self.port)}{settings.BASE_PATH}"
        if settings.LOCAL:
            self._start_what_runs_beside()
        super().inner_run(*args, **options)

    def on_bind(self, server_port: int) -> None:
        """Print the address to open, which is known only now if the port was left to the system."""
        self.stdout.write(f"Open in a browser: {url_of(self.addr, str(server_port))}{settings.BASE_PATH}/events")
        super().on_bind(server_port)

    def _start_what_runs_beside(self) -> None:
        """Start what each app names in `beside_runserver` of its `AppConfig`."""
        for config in apps.get_app_configs():
            for name in getattr(config, "beside_runserver", ()):
                import_string(name)()

    def _find_data(self) -> str:
        """Start the embedded engine, if the settings name no other one. Return the place of the data, in words."""
        if not settings.EMBEDDED_ENGINE:
            return f"Data: in DynamoDB at {settings.DYNAMODB_ENDPOINT}"
        try:
            url = connection.endpoint()
        except Unavailable as error:
            raise CommandError(error.sentence) from error
        return f"Data: in {settings.LOCAL_DYNAMODB_DIR}, kept by the embedded DynamoDB engine at {url}"
