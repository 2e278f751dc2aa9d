"""The service as a process of its own: ``python -m tests.server`` prints its port and serves until it is ended.

Django's threaded development server: one thread per connection, connections kept alive. Its clock is `SKEW` hours
ahead, or behind where that is negative.
"""

import logging
import os
from datetime import UTC, datetime, timedelta

from eventsite import clock
from tests.children import end_with_input

SKEW = "SERVER_CLOCK_AHEAD_HOURS"


def set_clock(hours: float) -> None:
    """Let the service's clock in this process be wrong. Before the service is imported: it keeps what it imports."""
    wrong = timedelta(hours=hours)
    clock.now = lambda: (datetime.now(UTC) + wrong).strftime(clock.FORMAT)


def main() -> None:
    """Serve on a free port of this machine."""
    end_with_input()
    set_clock(float(os.environ.get(SKEW, "0")))
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    from eventsite.wsgi import application

    for name in ("django", "django.request", "django.server"):
        logging.getLogger(name).setLevel("ERROR")
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(application)
    print(server.server_port, flush=True)  # noqa: T201 (how the parent learns it)
    server.serve_forever()


if __name__ == "__main__":
    main()
