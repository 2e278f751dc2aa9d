"""The pages of the documentation and the OpenAPI document itself, out of drf-spectacular."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer


class SchemaView(SpectacularAPIView):
    """The OpenAPI document: JSON, unless something else is asked for."""

    renderer_classes = [JSONRenderer, OpenApiYamlRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]


class DocumentView(SchemaView):
    """The same under the name that many tools look for: always JSON."""

    renderer_classes = [JSONRenderer]


class Page(TemplateHTMLRenderer):
    """A page; what goes wrong in showing it is a problem document, as everywhere."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The HTML, or the problem document."""
        if renderer_context and renderer_context["response"].exception:
            return JSONRenderer().render(data)
        return super().render(data, accepted_media_type, renderer_context)


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI. Its script comes apart from the page, so that a strict content policy needs no exception."""

    renderer_classes = [Page]
    metadata_class = None


class RedocView(SpectacularRedocView):
    """ReDoc, in a page that fetches nothing from elsewhere."""

    renderer_classes = [Page]
    metadata_class = None
    template_name = "eventsite/redoc.html"
