"""The browsable API: DRF's pages, with forms for every call and the links a person needs to find the way."""

import re
from collections.abc import Callable
from typing import Any

from django.http import QueryDict
from django.template import loader
from rest_framework.exceptions import APIException
from rest_framework.fields import empty
from rest_framework.renderers import BrowsableAPIRenderer, HTMLFormRenderer
from rest_framework.request import Request, override_method
from rest_framework.serializers import Serializer

from eventsite import problems
from eventsite.quoting import MAX_CHARACTERS, encodable
from eventsite.web import links

Form = Serializer[Any]

MOST_CHOICES = 10
"""How many values of one field a form shows again."""


class FormRenderer(HTMLFormRenderer):
    """DRF's forms, with the fields under the names they have in the API."""

    def render_field(self, field: Any, parent_style: Any) -> str:
        """The HTML of a field. DRF shows a false as nothing; here it is a choice of its own."""
        field._field.label = field.name
        if field.value is False:
            field.value = "False"
        html: str = super().render_field(field, parent_style)
        return html


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's browsable API. Forms are made from the serializers that the view names for its actions."""

    renderer_context: dict[str, Any]
    template = "eventsite/api.html"
    form_renderer_class = FormRenderer

    def get_context(self, data: Any, accepted_media_type: Any, renderer_context: Any) -> dict[str, Any]:
        """DRF's context and the links: to what belongs here, to each entry of a list, to the next page."""
        context: dict[str, Any] = super().get_context(data, accepted_media_type, renderer_context)
        response, match = renderer_context["response"], renderer_context["request"].resolver_match
        following = re.match("<([^>]+)>", response.get("Link", ""))
        if response.status_code >= 400:
            context["response_headers"]["Content-Type"] = problems.MEDIA_TYPE
        context["links"] = links.from_page(match.url_name, match.kwargs)
        if location := response.get("Location"):
            context["links"].insert(0, ("See what was created", location))
        context["entries"] = links.of_entries(match.url_name, data) if isinstance(data, list) else []
        context["next_page"] = following[1] if following else None
        return context

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        """The form of a method as HTML; True for methods whose form is only a button; None where there is none."""
        with override_method(view, request, method) as other:
            if not self.show_form_for_method(view, method, other, None):
                return None
            if method in ("DELETE", "OPTIONS"):
                return True
            if not hasattr(view, "get_serializer"):
                return None
            return self.render_form_for_serializer(self._form(data, view, method, request))

    def _form(self, data: Any, view: Any, method: str, request: Request) -> Form:
        """The form as it was sent when it was refused; else with the present values to edit; else empty."""
        if request.method == method and self.renderer_context["response"].status_code >= 400:
            return _refilled(view.get_serializer, _sent(request))
        shown = getattr(getattr(data, "serializer", None), "instance", None)
        empty_form: Form = view.get_serializer(**({"instance": shown} if shown and method == "PUT" else {}))
        return empty_form

    def get_filter_form(self, data: Any, view: Any, request: Request) -> str | None:
        """The form of the list's query parameters, as HTML."""
        query = getattr(view, "queries", {}).get(view.action)
        if query is None:
            return None
        form = self.render_form_for_serializer(_refilled(query, request.query_params))
        html: str = loader.get_template("eventsite/filters.html").render({"form": form, "path": request.path})
        return html


def _sent(request: Request) -> Any:
    try:
        return request.data
    except APIException:  # it could not be read, which is what the page is about
        return {}


def _refilled(make: Callable[..., Form], sent: Any) -> Form:
    """A form that shows what was sent, as far as its fields can hold it, and what is wrong with it."""
    judged, fresh = make(data=sent), make()
    shown = _shown(fresh, sent)
    if not judged.is_valid():
        judged.initial_data = shown
        return judged
    for field in fresh.fields.values():
        value = field.get_value(shown)
        field.initial = None if value is empty else value
    return fresh


def _shown(form: Form, sent: Any) -> Any:
    """What was sent for the fields of a form, as much of it as is shown again."""
    if isinstance(sent, QueryDict):
        shown = QueryDict(mutable=True)
        for name in form.fields.keys() & sent.keys():
            shown.setlist(name, [_cut(form.fields[name], value) for value in sent.getlist(name)[:MOST_CHOICES]])
        return shown
    if isinstance(sent, dict):
        return {name: _cut(form.fields[name], sent[name]) for name in form.fields.keys() & sent.keys()}
    return {}


def _cut(field: Any, value: Any) -> Any:
    """A value, no longer than its field takes."""
    if not isinstance(value, str):
        return value if isinstance(value, int | float) else None
    return encodable(value[: getattr(field, "max_length", None) or MAX_CHARACTERS])
