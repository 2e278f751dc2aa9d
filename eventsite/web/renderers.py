"""Formats of some answers besides JSON and pages. Their views write them. Errors stay problem documents."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer


class WrittenRenderer(BaseRenderer):
    """An answer that its view has written already."""

    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """Return the bytes unchanged, or an error as JSON."""
        return data if isinstance(data, bytes) else JSONRenderer().render(data)


class SheetRenderer(WrittenRenderer):
    """A table for spreadsheets (RFC 4180)."""

    media_type, format = "text/csv", "csv"


class CalendarRenderer(WrittenRenderer):
    """Events for calendars (RFC 5545)."""

    media_type, format = "text/calendar", "ics"
