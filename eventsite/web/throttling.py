"""A limit for each caller, so that one of them cannot take a process away from the others.

A bucket of tokens per caller in the memory of the process: a request takes one, and they come back at a steady rate. It
costs no call of DynamoDB. On Lambda each process counts for itself, and serves one request at a time; what all of them
together take is limited by API Gateway (`throttling` in zappa_settings.json).
"""

import math
import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from eventsite.auth.permissions import principal_of

MOST_CALLERS = 10_000
"""How many callers are remembered; who has not called for longest is forgotten, with a full bucket."""


class Bucket(NamedTuple):
    """How many tokens there were, and when."""

    tokens: float
    at: float


buckets: OrderedDict[str, Bucket] = OrderedDict()
_lock = threading.Lock()


def take(caller: str) -> float:
    """Take a token out of a caller's bucket. Returns: the seconds until there is one; 0 if there was one to take."""
    now, rate, most = time.monotonic(), settings.CALLER_RATE, settings.CALLER_BURST
    with _lock:
        before = buckets.pop(caller, Bucket(most, now))
        tokens = min(most, before.tokens + (now - before.at) * rate)
        buckets[caller] = Bucket(tokens - 1 if tokens >= 1 else tokens, now)
        if len(buckets) > MOST_CALLERS:
            buckets.popitem(last=False)
    return 0.0 if tokens >= 1 else (1 - tokens) / rate


def is_refused(caller: str) -> bool:
    """Count a request. Return True if the caller sends too many."""
    return bool(settings.CALLER_RATE) and take(caller) > 0


class PerCaller(BaseThrottle):
    """Refuses a caller, the `sub` of who is signed in and else an address, who calls too often (429)."""

    _seconds = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether there is a token left; always where there is no limit."""
        if not settings.CALLER_RATE:
            return True
        principal = principal_of(request)
        self._seconds = take(f"sub {principal.sub}" if principal else f"address {request.META.get('REMOTE_ADDR')}")
        return not self._seconds

    def wait(self) -> float:
        """After how many whole seconds it is worth trying again: what `Retry-After` says."""
        return max(1, math.ceil(self._seconds))
