"""What the views of all apps have in common."""

import re
from collections.abc import Callable
from typing import Any

from rest_framework import viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from eventsite.auth import permissions
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.web import pagination
from eventsite.web.parsers import FORM_PARSERS

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class ApiViewSet(viewsets.ViewSet):
    """A view parses, authorizes, calls one rule and shapes the answer; this is what all of them do alike."""

    serializers: dict[str, type[Serializer[Any]]] = {}
    """The serializer of each action's body; the browsable API makes its forms from them."""
    queries: dict[str, type[Serializer[Any]]] = {}
    """The serializer of each action's query parameters; the browsable API makes its filters from them."""

    permission_of_action: dict[str, str] = {}
    """The row of the table of `eventsite.auth.permissions` that each action needs; without one nobody gets in."""

    def get_serializer(self, *args: Any, **options: Any) -> Serializer[Any]:
        """The serializer of the current action; OPTIONS and the forms of a page ask in the name of another method."""
        action = self.action_map.get((self.request.method or "").lower(), self.action)
        return self.serializers[action](*args, context={"request": self.request}, **options)

    def get_parsers(self) -> list[BaseParser]:
        """JSON; and forms where the answer is an HTML page, which is how browsers send them."""
        wants_page = self.request is not None and "text/html" in self.request.headers.get("Accept", "")
        return super().get_parsers() + [parser() for parser in FORM_PARSERS if wants_page]

    def body(self, *, partial: bool = False) -> dict[str, Any]:
        """The validated body. Raises `ValidationError` with all wrong fields."""
        serializer = self.get_serializer(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def query(self) -> dict[str, Any]:
        """The validated query parameters. Raises `ValidationError` with all wrong ones."""
        serializer = self.queries[self.action](data=self.request.query_params)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def owner(self, call: str) -> str | None:
        """Whose events the caller may touch with a call of the table, as `permissions.owner`."""
        return permissions.owner(call, permissions.principal_of(self.request))

    def reaches_user(self, call: str, user_id: str) -> bool:
        """Whether the caller's call of the table reaches a user, as `permissions.reaches_user`."""
        return permissions.reaches_user(call, permissions.principal_of(self.request), user_id)

    def keyed(self, call: str) -> IdempotentRequest | None:
        """The caller's idempotency key for this call, if one was sent. Raises `ValidationError`."""
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return None
        if not IDEMPOTENCY_KEY.fullmatch(key):
            raise ValidationError({"Idempotency-Key": ["This must be 1 to 255 visible ASCII characters."]})
        return IdempotentRequest(caller=caller(self.request) or "", call=call, key=key, body=self.request.data)

    def listed(
        self, serializer_class: type[Serializer[Any]], rows: list[Any], following: Any, after: Callable[[Any], Any]
    ) -> Response:
        """The answer of a list: the shaped rows, as many as it can carry, and the link to the next page.

        Takes: the cursor after the last row (None on the last page), and what tells the cursor after any other one.
        """
        entries: Any = serializer_class(rows, many=True).data
        return pagination.Page(
            entries, lambda count: after(rows[count - 1]) if count < len(rows) else following, self.request
        )


def caller(request: Request) -> str | None:
    """The `sub` of whoever is signed in, or None."""
    principal = permissions.principal_of(request)
    return principal.sub if principal else None
