"""A process that sends the service one request and dies right after one of its DynamoDB calls.

    python -m tests.dying METHOD PATH BODY KEY CALL

No cleaning up, no `finally`: the operating system ends it, as it ends a Lambda that runs out of time.
"""

import os
import sys

import django

DEAD = 77


def die(method: str, path: str, body: str, key: str, call: str) -> None:
    """Send the request. This does not return."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    django.setup()
    from eventsite.dynamodb.client import Answer
    from tests.api import Api
    from tests.faults import Request, failing

    def gone(request: Request) -> Answer:
        request.send()
        os._exit(DEAD)

    with failing(gone, at=int(call)):
        Api().call(method, path, raw=body, **({"Idempotency-Key": key} if key else {}))


if __name__ == "__main__":
    die(*sys.argv[1:])
