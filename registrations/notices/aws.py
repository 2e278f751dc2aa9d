"""The SDK's clients of the services that deliver notices, made on first use and never in a request."""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

logger = logging.getLogger(__name__)

T = TypeVar("T")
ERRORS = (BotoCoreError, ClientError)
CONNECT_SECONDS, READ_SECONDS = 2, 5
TRIES, PAUSE_SECONDS = 3, 0.2


@cache
def client(service: str, *, attempts: int = 1, **options: Any) -> Any:
    """Return a thread-safe client of a service. It sends each call at most `attempts` times."""
    import botocore.config
    import botocore.session

    patience = botocore.config.Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        max_pool_connections=20,
    )
    session = botocore.session.get_session()
    return session.create_client(service, region_name=settings.AWS_REGION, config=patience, **options)


def send_batch(batch: list[T], send: Callable[[list[T]], list[T]]) -> list[T]:
    """Send a batch up to `TRIES` times, and return what the service never accepted, as `send` does for one call."""
    for attempt in range(TRIES):
        time.sleep(PAUSE_SECONDS * attempt)
        try:
            batch = send(batch)
        except ERRORS:
            logger.warning("a batch of notices is not accepted", exc_info=True)
        if not batch:
            break
    return batch
