"""The pages of the documentation, and the OpenAPI document itself, by drf-spectacular."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from eventsite.openapi.document import document


class SchemaView(SpectacularAPIView):
    """The OpenAPI document: JSON, unless YAML is asked for."""

    renderer_classes = [JSONRenderer, OpenApiYamlRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer with the document, which is made once per process. The caching middleware gives it an ETag."""
        renderer = request.accepted_renderer
        content = rendered(str(renderer.format), get_script_prefix(), settings.AUTH_MODE)
        return HttpResponse(content, content_type=renderer.media_type)


@cache
def rendered(form: str, prefix: str, auth_mode: str) -> bytes:
    """Return the document in a form. It depends on nothing of a request but the stage prefix."""
    renderer = next(one for one in SchemaView.renderer_classes if one.format == form)()
    written: bytes | str = renderer.render(document(), renderer_context={})
    return written.encode() if isinstance(written, str) else written


class DocumentView(SchemaView):
    """The same under the name that many tools look for: always JSON."""

    renderer_classes = [JSONRenderer]


class Page(TemplateHTMLRenderer):
    """A page. An error in showing it is a problem document, as everywhere."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> Any:
        if renderer_context and renderer_context["response"].exception:
            return JSONRenderer().render(data)
        return super().render(data, accepted_media_type, renderer_context)


class PageView(APIView):
    """A page of the documentation."""

    renderer_classes = [Page]

    def options(  # type: ignore[override] # DRF knows its own answers only
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Answer with the Allow header alone, because a page has no metadata."""
        return HttpResponse()


class SwaggerView(PageView, SpectacularSwaggerSplitView):
    """Swagger UI. Its script comes apart from the page, so that a strict content policy needs no exception."""

    template_name = "eventsite/docs.html"


class RedocView(PageView, SpectacularRedocView):
    """ReDoc, in a page that fetches nothing from elsewhere."""

    template_name = "eventsite/redoc.html"
