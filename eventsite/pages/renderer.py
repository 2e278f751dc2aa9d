"""The browsable API: DRF's, where each route's page is the one that its app registered (`eventsite.pages.page`).

What only pages need is imported when the first one is shown.
"""

from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class BrowsableRenderer(BrowsableAPIRenderer):
    """The page of an answer: what it holds, for people; or what went wrong, with the form as it was sent."""

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> str:
        """The HTML."""
        from eventsite.pages import render

        return render.show(data, renderer_context["view"], renderer_context["request"], renderer_context["response"])
