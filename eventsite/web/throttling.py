"""A rate limit for each caller, so that one caller cannot occupy a process.

It is a token bucket per caller in the memory of the process, and costs no DynamoDB call. On Lambda each process counts
for itself and serves one request at a time. API Gateway limits all callers together (`throttling` in
zappa_settings.json).
"""

import math
import threading
import time
from collections import OrderedDict
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from eventsite.auth.permissions import principal_of

MOST_CALLERS = 10_000
"""The number of buckets that are kept. The least recently used one is dropped."""


buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
"""The tokens of each caller, and the time at which they were counted."""
_lock = threading.Lock()


def take(caller: str) -> float:
    """Take a token from a caller's bucket, and return the seconds until there is one: 0 if one was taken."""
    now, rate, most = time.monotonic(), settings.CALLER_RATE, settings.CALLER_BURST
    if not rate:
        return 0.0
    with _lock:
        before, at = buckets.pop(caller, (most, now))
        tokens = min(most, before + (now - at) * rate)
        buckets[caller] = tokens - 1 if tokens >= 1 else tokens, now
        if len(buckets) > MOST_CALLERS:
            buckets.popitem(last=False)
    return 0.0 if tokens >= 1 else (1 - tokens) / rate


class PerCaller(BaseThrottle):
    """Refuses a caller who calls too often (429): a signed-in user, else an address."""

    _seconds = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        principal = principal_of(request)
        self._seconds = take(f"sub {principal.sub}" if principal else f"address {request.META.get('REMOTE_ADDR')}")
        return not self._seconds

    def wait(self) -> float:
        """Return the whole seconds of `Retry-After`."""
        return max(1, math.ceil(self._seconds))
