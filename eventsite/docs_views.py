"""The pages of the documentation and the OpenAPI document itself, out of drf-spectacular."""

from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer, OpenApiYamlRenderer2
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer
from rest_framework.response import Response


class JsonDocument(OpenApiJsonRenderer2):
    """The document as JSON, which is what one gets without asking for anything else."""

    format = "json"


class SchemaView(SpectacularAPIView):
    """The OpenAPI document."""

    renderer_classes = [JsonDocument, OpenApiYamlRenderer2, OpenApiYamlRenderer]


class Page(TemplateHTMLRenderer):
    """A page; what goes wrong in showing it is a problem document, as everywhere."""

    def render(self, data, accepted_media_type=None, renderer_context=None):  # type: ignore[no-untyped-def]
        """The HTML, or the problem document."""
        response: Response = (renderer_context or {})["response"]
        if response.exception:
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
