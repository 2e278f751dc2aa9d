"""The components of the OpenAPI document that several calls use."""

from typing import Any

from eventsite import errors, ids, problems

TOO_MANY_REQUESTS = ("too_many_requests", "Too many requests.")

Json = dict[str, Any]


def path_id(name: str, example: str) -> None:
    """Document a part of paths that is an id."""
    COMPONENTS["parameters"][name] = {"name": name, "in": "path", "required": True, "schema": ID, "example": example}


def ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def identifier(header: str) -> str:
    """Return the name of a header's component, which generators make names of types of."""
    return header if "-" not in header else "".join(part.capitalize() for part in header.split("-"))


def problem(status: int, *examples: tuple[str, str], **more: Any) -> Json:
    """Return an answer that is a problem document: each code it may carry is the name of an example.

    All answers share one schema, so a generated client has one type for all errors.
    """
    documents = {
        code: {"value": problems.document(status, code, sentence, "/events/spring-party", **more)}
        for code, sentence in examples
    }
    content = {"schema": ref("schemas", "Problem"), "examples": documents}
    return {"description": problems.title_of(status), "content": {problems.MEDIA_TYPE: content}}


def with_headers(answer: Json, *names: str) -> Json:
    return answer | {"headers": {name: ref("headers", identifier(name)) for name in names}} if names else answer


def format_parameter(*formats: str, example: str) -> Json:
    """Return the query parameter that chooses the format of an answer. An empty one counts as not sent."""
    return {
        "name": "format",
        "in": "query",
        "description": "The same as asking by the Accept header, and outweighs it.",
        "schema": {"type": "string", "enum": [*formats], "default": "json"},
        "allowEmptyValue": True,
        "example": example,
    }


def revalidated(operation: Json) -> Json:
    """Return a read that clients may keep, and ask for again by its entity tag (`eventsite.web.caching`)."""
    answers = operation["responses"]
    tag = {"ETag": ref("headers", "ContentTag")}
    kept = {"200": answers["200"] | {"headers": tag | answers["200"].get("headers", {})}}
    kept["304"] = ref("responses", "NotModified")
    parameters = [*operation.get("parameters", []), ref("parameters", "IfNoneMatch")]
    return operation | {"parameters": parameters, "responses": answers | kept}


PROBLEM: Json = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Always `about:blank`."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "The word to switch on in a program."},
        "instance": {"type": "string", "format": "uri-reference", "description": "The path of the request."},
        "opensAt": {
            "type": "string",
            "format": "date-time",
            "description": "When registration opens; only with the code `registration_not_open`.",
        },
        "errors": {
            "type": "array",
            "description": "Every wrong field at once; only with the code `validation_error`.",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "Empty when it is about the body as a whole."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
ID: Json = {"type": "string", "pattern": f"^{ids.PATTERN}$", "minLength": 1, "maxLength": 128}
COMPONENTS: dict[str, Json] = {
    "schemas": {"Problem": PROBLEM},
    "parameters": {
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "The ETag of the version you mean; if the event has changed since, nothing happens.",
            "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'},
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The ETag of the answer that you have. If it is still the same, you get a 304 without a "
            "body. Browsers do this by themselves.",
            "schema": {"type": "string"},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A word of your own that makes the request safe to send again: the same key and body get "
            "the first answer again, and nothing is done twice. Kept for 24 hours.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "minLength": 1, "maxLength": 255},
        },
    },
    "headers": {
        "ETag": {
            "description": "The version of the event, for If-Match.",
            "required": True,
            "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
            "example": '"1"',
        },
        "ContentTag": {
            "description": "What the answer is known by, for If-None-Match; absent where no one may keep it, such as "
            "a signed-in caller.",
            "schema": {"type": "string", "pattern": '^"[0-9a-f]+"$'},
            "example": '"9b2cf535f27731c974343645a3985328"',
        },
        "ContentDisposition": {
            "description": "The name of the file; only of a sheet or a calendar.",
            "schema": {"type": "string", "pattern": '^attachment; filename="[^"]+"$'},
            "example": 'attachment; filename="events.ics"',
        },
        "Location": {
            "description": "Where the new thing is.",
            "required": True,
            "schema": {"type": "string", "format": "uri"},
            "example": "https://api.example.com/events/spring-party",
        },
        "Link": {
            "description": "The next page (RFC 8288); absent on the last one.",
            "schema": {"type": "string"},
            "example": '<https://api.example.com/events?limit=20&cursor=qL0m3vYd7o9c2lnbmF0dXJl>; rel="next"',
        },
        "RetryAfter": {
            "description": "After how many seconds to try again.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
            "example": "2",
        },
        "WwwAuthenticate": {
            "description": "How to sign in (RFC 6750).",
            "required": True,
            "schema": {"type": "string"},
            "example": "Bearer",
        },
    },
    "responses": {
        "NotModified": {
            "description": "What you have is still the answer.",
            "headers": {"ETag": ref("headers", "ContentTag")},
        }
    },
}
"""The components that several calls use."""
ANY_CALL: dict[str, Json] = {}
"""The answers that any call may give, by their statuses."""


def _of_any_call(name: str, status: int, *examples: tuple[str, str], headers: tuple[str, ...] = ()) -> None:
    ANY_CALL[str(status)] = ref("responses", name)
    COMPONENTS["responses"][name] = with_headers(problem(status, *examples), *headers)


_of_any_call(
    "BadRequest", 400, ("malformed_json", "The body is not valid JSON."), ("malformed_request", problems.MALFORMED)
)
_of_any_call("Unauthorized", 401, ("not_authenticated", "Sign in first."), headers=("WWW-Authenticate",))
_of_any_call("NotAcceptable", 406, ("not_acceptable", "Could not satisfy the request Accept header."))
_of_any_call("PayloadTooLarge", 413, ("payload_too_large", "The body may have at most 1,000,000 bytes."))
_of_any_call("UnsupportedMediaType", 415, ("unsupported_media_type", problems.SENTENCE_OF_STATUS[415]))
_of_any_call("TooManyRequests", 429, TOO_MANY_REQUESTS, headers=("Retry-After",))
_of_any_call("ServiceUnavailable", 503, ("service_unavailable", errors.Unavailable.detail), headers=("Retry-After",))
