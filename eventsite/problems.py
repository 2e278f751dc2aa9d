"""Errors as answers: every failure becomes a problem document (RFC 9457), in this one place.

The members are the RFC's `type`, `title`, `status`, `detail` and `instance`, and two of our own: `code`, the word a
program switches on, and for wrong values `errors`, one entry per field with all wrong fields at once.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.encoding import escape_uri_path
from pynamodb.exceptions import PynamoDBException
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from eventsite import errors
from eventsite.errors import log_exception

MEDIA_TYPE = "application/problem+json"
MALFORMED = "The request is malformed."
DEFECT = "Something went wrong on our side."
FORGED = "The request does not come from a page of this service."
RETRY_AFTER_SECONDS = 2

STATUS_OF_KIND: dict[type[errors.DomainError], int] = {
    errors.Forbidden: 403,
    errors.Missing: 404,
    errors.Refused: 409,
    errors.LimitReached: 429,
    errors.Stale: 412,
    errors.Unprocessable: 422,
    errors.Unavailable: 503,
}
CODE_OF_STATUS = {
    400: "malformed_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal_error",
    503: "service_unavailable",
}
"""The code of a failure that has no more exact word than its status."""
SENTENCE_OF_STATUS = {
    405: "This method is not possible here; see the Allow header.",
    415: "The body must be JSON: send it as Content-Type application/json.",
}
"""Replacements of DRF's own sentences, which repeat the input, however long it is."""

TITLES = {413: "Request Entity Too Large", 422: "Unprocessable Entity"}
"""Phrases that Python changed in 3.13, as RFC 9110 did. A problem has the same title on every version."""


def title_of(status: int) -> str:
    return TITLES.get(status) or HTTPStatus(status).phrase


def status_of(error: type[errors.DomainError]) -> int:
    return next(status for kind, status in STATUS_OF_KIND.items() if issubclass(error, kind))


def document(status: int, code: str, detail: str, instance: str, **more: Any) -> dict[str, Any]:
    """Return a problem document. `instance` is the path of the request."""
    return {
        "type": "about:blank",
        "title": title_of(status),
        "status": status,
        "detail": detail,
        "code": code,
        "instance": escape_uri_path(instance),
        **more,
    }


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an exception that a view raised, or None for a defect. DRF calls this hook."""
    answer = _explain(error)
    if answer is None:
        return None
    status, code, detail, more = answer
    request = context["request"]
    data = document(status, code, detail, request.path, **more)
    if getattr(getattr(request, "accepted_renderer", None), "format", "") == "api":
        return Response(data, status, headers=_headers(error, status))
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    return Response(data, status, headers=_headers(error, status), content_type=MEDIA_TYPE)


def _explain(error: Exception) -> tuple[int, str, str, dict[str, Any]] | None:
    """Return status, code, sentence and further members, or None for a defect."""
    match error:
        case errors.DomainError():
            return status_of(type(error)), error.code, error.sentence, error.members
        case exceptions.ValidationError():
            return 422, errors.WrongValues.code, errors.WrongValues.detail, {"errors": list(_flat(error.detail))}
        case exceptions.APIException():
            code = getattr(error, "code", CODE_OF_STATUS.get(error.status_code, error.default_code))
            return error.status_code, code, SENTENCE_OF_STATUS.get(error.status_code) or str(error.detail), {}
        case Http404():
            return 404, errors.Missing.code, errors.Missing.detail, {}
        case PynamoDBException() | BotoCoreError() | ClientError():
            log_exception(error, "DynamoDB refused a call")
            return 503, errors.Unavailable.code, errors.Unavailable.detail, {}
    return None


def _flat(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """Yield an entry for each wrong field. Names of nested fields have dots. The body itself has an empty name."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            prefix = "" if name == "non_field_errors" else str(name)
            yield from _flat(inner, ".".join(filter(None, (field, prefix))))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, field)
    else:
        yield {"field": field, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def _headers(error: Exception, status: int) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    elif wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def answer(request: HttpRequest, status: int, detail: str, code: str | None = None) -> JsonResponse:
    """Return the problem document as a plain Django response, for failures outside DRF's views."""
    data = document(status, code or CODE_OF_STATUS[status], detail, request.path)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    return JsonResponse(data, status=status, content_type=MEDIA_TYPE, headers=headers)


def refused_method(request: HttpRequest, allowed: str, sentence: str) -> JsonResponse:
    """Return the problem document of a method that a plain Django view does not have (RFC 9110, 15.5.6)."""
    refusal = answer(request, 405, sentence)
    refusal.headers["Allow"] = allowed
    return refusal


def answer_to(request: HttpRequest, error: Exception) -> JsonResponse | None:
    """Return the answer to an error outside DRF's views, or None for a defect."""
    explained = _explain(error)
    return answer(request, explained[0], explained[2], explained[1]) if explained else None


def _answering(status: int, detail: str) -> Callable[..., JsonResponse]:
    """Return a view for Django's hooks that answers every failure alike. What failed is in the log."""
    return lambda request, *_, **__: answer(request, status, detail)


bad_request = _answering(400, MALFORMED)
permission_denied = _answering(403, errors.Forbidden.detail)
csrf_failure = _answering(403, FORGED)
not_found = _answering(404, errors.Missing.detail)
server_error = _answering(500, DEFECT)
