"""API Gateway's proxy integration as WSGI: an event in, an answer out (payload version 1.0).

Zappa's handler makes a werkzeug response of each answer and looks every header up again, which costs a quarter of the
CPU of a short request. The WSGI environment is Zappa's.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from zappa.wsgi import create_wsgi_request

from eventsite.errors import log_exception
from eventsite.problems import MALFORMED
from eventsite.web.wsgi import REFUSED, Application

Event = dict[str, Any]


def takes(event: Event) -> bool:
    """Return True for a request of API Gateway. Load balancers and other payload versions are left to Zappa."""
    return bool(event.get("httpMethod")) and "elb" not in (event.get("requestContext") or {})


def answer(application: Application, event: Event, context: Any) -> dict[str, Any]:
    try:
        return _answer(application, _environ(event, context))
    except Exception as error:
        log_exception(error, "an event that is no request")
    harmless = {"httpMethod": "GET", "path": "/", "headers": {}, "multiValueHeaders": {}}
    replacement = harmless | {"requestContext": event.get("requestContext") or {}}
    return _answer(application, _environ(replacement, context) | {REFUSED: (400, MALFORMED)})


def _environ(event: Event, context: Any) -> dict[str, Any]:
    environ: dict[str, Any] = create_wsgi_request(event, script_name=_stage_prefix(event), binary_support=True)
    environ |= {"HTTPS": "on", "wsgi.url_scheme": "https", "lambda.context": context, "lambda.event": event}
    return environ


def _stage_prefix(event: Event) -> str:
    """Return the stage's part of the path. API Gateway's own address has it, and leaves it out of the event's path."""
    host = (event.get("headers") or {}).get("Host") or "amazonaws.com"
    return f"/{(event.get('requestContext') or {}).get('stage', '')}".rstrip("/") if "amazonaws.com" in host else ""


def _answer(application: Application, environ: dict[str, Any]) -> dict[str, Any]:
    started: list[Any] = []
    chunks = application(environ, lambda status, headers, _=None: started.extend((status, headers)))
    body = _whole(chunks)
    status, headers = started
    several: dict[str, list[str]] = {}
    for name, value in headers:
        several.setdefault(name, []).append(value)
    answer = {"statusCode": int(status[:3]), "headers": dict(headers), "multiValueHeaders": several}
    try:
        return answer | {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:  # the body is compressed, or an image
        return answer | {"body": b64encode(body).decode(), "isBase64Encoded": True}


def _whole(chunks: Iterable[bytes]) -> bytes:
    try:
        return b"".join(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
