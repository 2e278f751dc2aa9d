"""DRF's browsable API, with the page that the app registered for each route (`eventsite.pages.page`).

Modules that only pages need are imported when the first page is rendered.
"""

from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class BrowsableRenderer(BrowsableAPIRenderer):
    """Render an answer as a page. A problem is shown with the form as it was sent."""

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> str:
        from eventsite.pages import render

        return render.show(data, renderer_context["view"], renderer_context["request"], renderer_context["response"])
