"""The SDK's clients of the services that deliver notices, made on first use and never in a request."""

from functools import cache
from typing import Any

from django.conf import settings

CONNECT_SECONDS, READ_SECONDS = 2, 5


@cache
def client(service: str) -> Any:
    """Return a thread-safe client of a service that sends each call once."""
    import botocore.config
    import botocore.session

    patience = botocore.config.Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=20,
    )
    session = botocore.session.get_session()
    return session.create_client(service, region_name=settings.AWS_REGION, config=patience)
