"""Where notices go, as the settings choose it."""

from collections.abc import Sequence

from cloudevents.core.v1.event import CloudEvent


def publish(notices: Sequence[CloudEvent]) -> None:
    """Hand notices on, in their order.

    Raises: `Unavailable`, or what botocore raises, in an outage: all of them come again. Any other error means that one
    of them can never be handed on.
    """
