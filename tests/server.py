"""The service as a process of its own: ``python -m tests.server`` prints its port and serves until it is ended.

Django's threaded development server: one thread per connection, connections kept alive.
"""

import logging

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from eventsite.wsgi import application


def main() -> None:
    """Serve on a free port of this machine."""
    for name in ("django", "django.server"):
        logging.getLogger(name).setLevel("ERROR")
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(application)
    print(server.server_port, flush=True)  # noqa: T201 (how the parent learns it)
    server.serve_forever()


if __name__ == "__main__":
    main()
