"""The preferences of a client: `Prefer: return=minimal` (RFC 7240, section 4.2)."""

import re

from rest_framework.request import Request
from rest_framework.response import Response

WRITES = ("POST", "PUT", "PATCH")
_MINIMAL = re.compile(r'(?:^|,)\s*return\s*=\s*"?minimal"?\s*(?:[;,]|$)', re.IGNORECASE)


def apply(request: Request, response: Response) -> Response:
    """Leave out the body of a write's answer if the client prefers that. Its headers stay."""
    if request.method not in WRITES or response.status_code not in (200, 201):
        return response
    if not _MINIMAL.search(request.META.get("HTTP_PREFER", "")):
        return response
    response.data = None
    response.status_code = 201 if response.status_code == 201 else 204
    response.headers["Preference-Applied"] = "return=minimal"
    return response
