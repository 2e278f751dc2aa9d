"""The browsable API: DRF's pages, with the links a person needs to find the way."""

from rest_framework.renderers import BrowsableAPIRenderer


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's browsable API."""
