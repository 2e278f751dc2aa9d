"""Observability of a request: one line of log, metrics, and a correlation id.

On Lambda the log is JSON and metrics are lines of it, in CloudWatch's Embedded Metric Format, made by Powertools for
AWS Lambda. Elsewhere the log is plain lines, and nothing is counted.

A line has no personal data: the route instead of the path, and a keyed hash of the signed-in caller, by which an
operator finds the requests of one caller.
"""

import json
import logging
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

import orjson
from django.conf import settings
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from eventsite.errors import log_exception

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics

logger = logging.getLogger(__name__)

HEADER = "X-Correlation-Id"
SENT_AS = f"HTTP_{HEADER.upper().replace('-', '_')}"
CORRELATION_ID = re.compile(r"[A-Za-z0-9._:=/+-]{1,128}")
HASH_DIGITS = 16
NAMESPACE = "eventsite"

_correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
metrics: "Metrics | None" = None
_cold = True
_adding = threading.Lock()  # several threads count deliveries, and Powertools' metrics are not thread-safe


class CorrelationFilter(logging.Filter):
    """Puts the correlation id on every line that is logged during a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if (correlation_id := _correlation_id.get()) is not None:
            record.correlation_id = correlation_id
        return True


def _without_effect(measure: Callable[..., Any], *args: Any) -> None:
    """Measure. A failure is only logged, because the measured request has succeeded already."""
    try:
        measure(*args)
    except Exception as error:
        log_exception(error, "not counted")


def count(metric: str, value: float = 1, *, unit: Literal["Count", "Seconds"] = "Count") -> None:
    """Add to a metric, whose sum over a period is the number of occurrences. Only on Lambda."""
    if settings.ON_LAMBDA:
        _without_effect(_add, metric, value, unit)


def _add(metric: str, value: float, unit: str) -> None:
    global metrics
    with _adding:
        if metrics is None:
            from aws_lambda_powertools import Metrics

            metrics = Metrics(namespace=NAMESPACE, service=settings.LAMBDA_FUNCTION)
        metrics.add_metric(name=metric, unit=unit, value=value)


def count_signal(signal: Signal, metric: str) -> None:
    signal.connect(lambda **_: count(metric), weak=False, dispatch_uid=metric)


def publish() -> None:
    """Write the counts to the log, where CloudWatch reads them."""
    if metrics is not None and metrics.metric_set:
        _without_effect(metrics.flush_metrics)


def as_json(line: Any) -> str:
    """Return a line of the log as JSON. Python's encoder writes what orjson refuses, such as lone surrogates."""
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:
        return json.dumps(line, default=str)


def log_defect(**_: Any) -> None:
    """Log an exception that no view and no middleware handled. Django's own line would contain the path."""
    if error := sys.exception():
        log_exception(error)


class ObservabilityMiddleware:
    """Gives each request its correlation id, and logs it when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        identity = _gateway(request).get("identity") or {}
        if source := identity.get("sourceIp"):  # a caller can forge X-Forwarded-For, which Zappa uses
            request.META["REMOTE_ADDR"] = source
        correlation_id = _chosen_id(request)
        token = _correlation_id.set(correlation_id)
        try:
            response = self.get_response(request)
            response.headers[HEADER] = correlation_id
            _without_effect(_log, request, response.status_code, time.perf_counter() - started)
        finally:
            _correlation_id.reset(token)
        return response


def _gateway(request: HttpRequest) -> dict[str, Any]:
    """Return API Gateway's context of the request, which is empty elsewhere."""
    context: dict[str, Any] = request.META.get("lambda.event", {}).get("requestContext") or {}
    return context


def _chosen_id(request: HttpRequest) -> str:
    """Return the caller's correlation id if it is harmless, else API Gateway's request id, else a new id."""
    sent: str = request.META.get(SENT_AS, "")
    if CORRELATION_ID.fullmatch(sent):
        return sent
    return str(_gateway(request).get("requestId") or uuid.uuid4())


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    global _cold
    measured = {
        "request_id": getattr(request.META.get("lambda.context"), "aws_request_id", None),
        "gateway_request_id": _gateway(request).get("requestId"),  # as in the access log
        "method": request.method,
        "route": request.resolver_match.route if request.resolver_match else None,  # such as ``events/<event_id>``
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "cold_start": _cold,
        "caller": caller_of(request),
    }
    _cold = False
    logger.log(logging.INFO if settings.ON_LAMBDA else logging.DEBUG, "request", extra=measured)
    if status >= 500:
        count("ServerErrors")
    publish()


def caller_of(request: HttpRequest) -> str | None:
    """Return a keyed hash of the `sub` of the signed-in caller."""
    sub = getattr(getattr(request, "user", None), "sub", None)
    return salted_hmac(__name__, sub, algorithm="sha256").hexdigest()[:HASH_DIGITS] if sub else None
