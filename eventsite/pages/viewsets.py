"""The base of the views of all apps: parse, authorize, call one rule, shape the answer.

A browser gets the answer as a page, and sends forms. Modules that only pages need are imported when they are needed.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.urls import URLPattern, path, reverse
from rest_framework import viewsets
from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.utils.html import is_html_input

from eventsite.auth import permissions
from eventsite.auth.permissions import ME, Principal, Reach
from eventsite.auth.scope import Scope
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.pages import submissions
from eventsite.web import pagination
from eventsite.web.negotiation import PAGE_FORMAT, wants_page

NO_ONE_IS_ME = "No one is signed in, so me names no user."

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
MINIMAL = re.compile(r'(?:^|,)\s*return\s*=\s*"?minimal"?\s*(?:[;,]|$)', re.IGNORECASE)
"""The preference for an answer without a body (RFC 7240, section 4.2)."""


class PageFormParser(FormParser):
    """A form of a page, read as the body that a program would have sent."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        submission = submissions.of(parser_context and parser_context["request"])
        return submission.values() if submission else super().parse(stream, media_type, parser_context)


class BrowsableViewSet(viewsets.ViewSet):
    serializers: dict[str, type[Serializer[Any]]] = {}
    """The serializer of each action's body; the browsable API makes its forms from them."""
    queries: dict[str, type[Serializer[Any]]] = {}
    """The serializer of each action's query parameters; the browsable API makes its filters from them."""

    formats: dict[str, tuple[type[BaseRenderer], ...]] = {}
    """The formats of an action's answer besides JSON and a page."""

    is_of_one_format = False
    """True if the answer always has the one format of `formats`, and is never JSON."""

    is_kept = True
    """False if no cache may keep the answers."""

    permission_of_action: dict[str, str] = {}
    """The row of `eventsite.auth.permissions.TABLE` that each action needs. An action without a row is refused."""

    is_me = False
    """True if the path has `me` in place of the caller's id."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Return DRF's request. A form of a page becomes the request that a program would have sent."""
        if wants_page(request):
            submissions.unwrap(request)
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Prepare an action as DRF does. A form may have to be confirmed first."""
        super().initial(request, *args, **kwargs)
        if submission := submissions.of(request):
            from eventsite.pages import handling

            handling.prepare(self, request, submission)

    def get_parsers(self) -> list[BaseParser]:
        """Return the parsers: JSON, and forms where the answer is a page."""
        forms = (MultiPartParser, PageFormParser) if self.request is not None and wants_page(self.request) else ()
        return super().get_parsers() + [parser() for parser in forms]

    def get_renderers(self) -> list[BaseRenderer]:
        """Return the renderers: JSON, a page, and the further formats of this action."""
        return super().get_renderers() + [renderer() for renderer in self.formats.get(self.action or "", ())]

    @property
    def format(self) -> str:
        """Return the format of the answer: json, api for a page, or one of `formats`."""
        return str(self.request.accepted_renderer.format)

    def check_throttles(self, request: Request) -> None:
        """Do nothing: `perform_authentication` has counted the call."""

    def perform_authentication(self, request: Request) -> None:
        """Authenticate the caller, and put the caller's id in the place of `me`.

        It counts the call against the caller's limit, whether permissions allow the call or not. A forged token counts
        against the address that it came from.

        Raises:
            NotAuthenticated: If the path has `me` and the caller is not signed in.
        """
        try:
            self._authenticate(request)
        finally:
            super().check_throttles(request)

    def _authenticate(self, request: Request) -> None:
        super().perform_authentication(request)
        self.is_me = self.kwargs.get("user_id") == ME
        if self.is_me:
            if self.caller is None:
                raise NotAuthenticated(NO_ONE_IS_ME)
            self.kwargs["user_id"] = self.caller

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the answer: without the body that a client prefers not to get, or the redirect after a form."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if not self.is_kept:
            answer.headers["Cache-Control"] = "no-store"
        is_written = request.method in ("POST", "PUT", "PATCH") and answer.status_code in (200, 201)
        if is_written and MINIMAL.search(request.META.get("HTTP_PREFER", "")):
            answer.data, answer.status_code = None, 201 if answer.status_code == 201 else 204
            answer.headers["Preference-Applied"] = "return=minimal"
        if not (submission := submissions.of(request)):
            return answer
        from eventsite.pages import handling

        return handling.follow(self, request, submission, answer)

    @classmethod
    def at(cls, route: str, name: str, title: str, **actions: Any) -> URLPattern:
        """Return the path of this view at a route, given the action of each method."""
        return path(route, cls.as_view(actions, name=title), name=name)

    def get_serializer(self, *args: Any, **options: Any) -> Serializer[Any]:
        """Return the serializer of the current action. OPTIONS asks for another method's."""
        return self._body_serializer(*args, context={"request": self.request}, **options)

    @property
    def _body_serializer(self) -> type[Serializer[Any]]:
        action = self.action_map.get((self.request.method or "").lower(), self.action)
        return self.serializers.get(action, Serializer)  # an empty one for a call without a body

    def body(self, *, partial: bool = False) -> dict[str, Any]:
        """Return the validated body, or raise a `ValidationError` with every wrong field."""
        return _validated(self._body_serializer, self.request.data, partial=partial)

    def changes(self) -> dict[str, Any]:
        """Return the validated fields of an edit, which has at least one."""
        if not (changes := self.body(partial=True)):
            raise ValidationError("Send at least one field to change.", code="empty")
        return changes

    def query(self) -> dict[str, Any]:
        """Return the validated query parameters."""
        return _validated(self.queries[self.action], self.query_parameters())

    def query_parameters(self) -> Any:
        """Return the query parameters, on a page with the page's defaults."""
        if self.format != PAGE_FORMAT:
            return self.request.query_params
        from eventsite.pages import page as pages

        return pages.with_defaults(self.request)

    @property
    def principal(self) -> Principal | None:
        """The signed-in caller, or None."""
        return permissions.principal_of(self.request)

    @property
    def caller(self) -> str | None:
        """The id of the signed-in caller, or None."""
        return self.principal.sub if self.principal else None

    def scope(self, call: str, user_id: str | None = None) -> Scope:
        """Return the scope of the caller for a call of the table, as `permissions.scope` does."""
        return permissions.scope(call, self.principal, user_id)

    def reaches_all(self, call: str) -> bool:
        """Return True if the caller may make a call of the table for any user or event."""
        return permissions.reach(call, self.principal) is Reach.ALL

    def reaches_user(self, call: str, user_id: str) -> bool:
        """Return True if the caller reaches a user with a call of the table, as `permissions.reaches_user` does."""
        return permissions.reaches_user(call, self.principal, user_id)

    def reaches_target(self) -> bool:
        """Return True if the caller may do to the target what this request asks.

        Only then does a page ask its questions or read the target. An action that does not override this has no
        questions.
        """
        return False

    def address(self, name: str, *parts: str) -> str:
        """Return the whole address of a named path."""
        return self.request.build_absolute_uri(reverse(name, args=parts))

    def keyed(self, call: str) -> IdempotentRequest | None:
        """Return the caller's idempotency key for this call, or None if none was sent.

        Raises:
            ValidationError: If the header is not 1 to 255 visible ASCII characters.
        """
        key = self.request.META.get("HTTP_IDEMPOTENCY_KEY")
        if key is None:
            return None
        if not IDEMPOTENCY_KEY.fullmatch(key):
            raise ValidationError({"Idempotency-Key": ["This must be 1 to 255 visible ASCII characters."]})
        return IdempotentRequest(caller=self.caller or "", call=call, key=key, body=self.request.data)

    def listed(
        self, shape: Callable[[Any], Any], rows: list[Any], following: Any, after: Callable[[Any], Any]
    ) -> Response:
        """Return the answer of a list: the rows that fit, shaped as JSON, and the link to the next page.

        `following` is the cursor after the last row, or None on the last page. `after` returns that of any other row.
        """
        entries = [shape(row) for row in rows]
        return pagination.Page(
            entries, lambda count: after(rows[count - 1]) if count < len(rows) else following, self.request
        )


def _validated(kind: type[Serializer[Any]], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """Return the values of a body or a query by their Python names."""
    validator = _validator(kind, partial, is_html_input(data), settings.AUTH_MODE)
    values: dict[str, Any] = validator.run_validation(data)
    return values


@cache
def _validator(kind: type[Serializer[Any]], partial: bool, from_form: bool, auth_mode: str) -> Serializer[Any]:
    """Return a serializer that only validates and keeps nothing of a request.

    DRF copies every field for every serializer, which takes three times as long as validating a body. The required
    fields depend on the mode of authentication, and the accepted types on whether the body is a form.
    """
    return kind(data=QueryDict() if from_form else {}, partial=partial)
