"""What an operator sees of a request: one line of log, metrics, and an id by which others can ask about it.

On Lambda the log is JSON and metrics are lines of it, in CloudWatch's Embedded Metric Format, made by Powertools for
AWS Lambda. Elsewhere the log is plain lines, and nothing is counted.

A line says nothing about people: the route instead of the path, and of who is signed in only a keyed hash, by which
one caller's requests can be found together.
"""

import logging
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from eventsite.errors import log_exception

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics

logger = logging.getLogger(__name__)

HEADER = "X-Correlation-Id"
CORRELATION_ID = re.compile(r"[A-Za-z0-9._:=/+-]{1,128}")
HASH_DIGITS = 16
NAMESPACE = "eventsite"

_correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
metrics: "Metrics | None" = None
_cold = True
_adding = threading.Lock()
"""What is delivered is counted in several threads, and Powertools' metrics are not made for that."""


class CorrelationFilter(logging.Filter):
    """Puts the correlation id on every line that is logged during a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if (correlation_id := _correlation_id.get()) is not None:
            record.correlation_id = correlation_id
        return True


def count(metric: str, value: float = 1, *, unit: Literal["Count", "Seconds"] = "Count") -> None:
    """Add to a metric: its sum over any time is how often it happened. Only on Lambda; elsewhere nothing is kept."""
    if settings.ON_LAMBDA:
        with _without_effect_on_the_answer(), _adding:
            _add(metric, value, unit)


def _add(metric: str, value: float, unit: str) -> None:
    global metrics
    if metrics is None:
        from aws_lambda_powertools import Metrics

        metrics = Metrics(namespace=NAMESPACE, service=settings.LAMBDA_FUNCTION)
    metrics.add_metric(name=metric, unit=unit, value=value)


@contextmanager
def _without_effect_on_the_answer() -> Iterator[None]:
    """What is measured has happened already: that it cannot be measured must not make a failure of it."""
    try:
        yield
    except Exception as error:
        log_exception(error, "not counted")


def count_signal(signal: Signal, metric: str) -> None:
    """Add one to a metric whenever a signal is sent."""
    signal.connect(lambda **_: count(metric), weak=False, dispatch_uid=metric)


def publish() -> None:
    """Write what was counted to the log, for CloudWatch to read."""
    if metrics is not None and metrics.metric_set:
        with _without_effect_on_the_answer():
            metrics.flush_metrics()


def tell_defect(**_: Any) -> None:
    """Log the exception that no view and no middleware knew what to do with; Django's own line has the path in it."""
    if error := sys.exception():
        log_exception(error)


class ObservabilityMiddleware:
    """Gives each request its correlation id, and tells about it when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        identity = _gateway(request).get("identity") or {}
        if source := identity.get("sourceIp"):  # what Zappa takes from X-Forwarded-For, the caller can make up
            request.META["REMOTE_ADDR"] = source
        correlation_id = _chosen_id(request)
        token = _correlation_id.set(correlation_id)
        try:
            response = self.get_response(request)
            response.headers[HEADER] = correlation_id
            with _without_effect_on_the_answer():
                _tell(request, response.status_code, time.perf_counter() - started)
        finally:
            _correlation_id.reset(token)
        return response


def _gateway(request: HttpRequest) -> dict[str, Any]:
    """What API Gateway says about the request; empty elsewhere."""
    context: dict[str, Any] = request.META.get("lambda.event", {}).get("requestContext") or {}
    return context


def _chosen_id(request: HttpRequest) -> str:
    """The caller's correlation id, if it is a harmless one; else API Gateway's request id; else a new one."""
    sent = request.headers.get(HEADER, "")
    if CORRELATION_ID.fullmatch(sent):
        return sent
    return str(_gateway(request).get("requestId") or uuid.uuid4())


def _tell(request: HttpRequest, status: int, seconds: float) -> None:
    global _cold
    told = {
        "request_id": getattr(request.META.get("lambda.context"), "aws_request_id", None),
        "gateway_request_id": _gateway(request).get("requestId"),  # which the access log has
        "method": request.method,
        "route": _route(request),
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "cold_start": _cold,
        "caller": caller_of(request),
    }
    _cold = False
    logger.log(logging.INFO if settings.ON_LAMBDA else logging.DEBUG, "request", extra=told)
    if status >= 500:
        count("ServerErrors")
    publish()


def _route(request: HttpRequest) -> str | None:
    """The pattern that the path matched, such as ``events/<event_id>``; None when it matched nothing."""
    return request.resolver_match.route if request.resolver_match else None


def caller_of(request: HttpRequest) -> str | None:
    """A keyed hash of the `sub` of who is signed in."""
    sub = getattr(getattr(request, "user", None), "sub", None)
    return salted_hmac(__name__, sub, algorithm="sha256").hexdigest()[:HASH_DIGITS] if sub else None
