"""The browsable API: DRF's, where each route's page is the one that its app registered (`eventsite.pages.page`).

What only pages need is imported when the first one is shown.
"""

from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class BrowsableRenderer(BrowsableAPIRenderer):
    """Render an answer as a page, or a refusal as the form that was sent."""

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> str:
        """The HTML."""
        from eventsite.pages import render

        return render.show(data, renderer_context["view"], renderer_context["request"], renderer_context["response"])
