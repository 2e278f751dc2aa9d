"""Checks of ``manage.py check``: omissions of a change, and with ``--deploy`` settings that are unfit for production.

The settings refuse values that make no sense anywhere. The deployment checks refuse values that are fine on a laptop.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import get_resolver

from eventsite.auth.permissions import TABLE, Permitted
from eventsite.env import LOCAL_KEY, is_loopback

MIN_KEY_CHARACTERS, MIN_KEY_VARIETY = 50, 10
PUBLIC_SUFFIX = re.compile(r"\*|\.?[^.]*\.?|\.(co|com|net|org|ac|edu|gov)\.[a-z]{2}\.?|\.amazonaws\.com\.?")
"""Suffixes that hosts of many owners share: everything, a top-level domain, and those that work like one."""


@register(Tags.security, deploy=True)
def auth_mode(**_: Any) -> list[CheckMessage]:
    """Refuse a service that is open by accident."""
    if settings.AUTH_MODE_CHOSEN:
        return []
    hint = "Set AUTH_MODE=cognito or oidc; or AUTH_MODE=open, if everybody shall be able to do everything."
    return [Error("AUTH_MODE is not set, so everybody may do everything.", hint, id="eventsite.E001")]


@register(Tags.security, deploy=True)
def debug(**_: Any) -> list[CheckMessage]:
    """Refuse to show stack traces to the public."""
    return [Error("DEBUG is on.", "Unset DEBUG.", id="eventsite.E002")] if settings.DEBUG else []


@register(Tags.security, deploy=True)
def hosts(**_: Any) -> list[CheckMessage]:
    """Refuse hosts that let a forged Host header decide where a login returns to."""
    if settings.AUTH_MODE == "open" or not any(PUBLIC_SUFFIX.fullmatch(host) for host in settings.ALLOWED_HOSTS):
        return []
    hint = "Name the hosts in ALLOWED_HOSTS."
    return [Error("ALLOWED_HOSTS is a wildcard, and browsers sign in with cookies.", hint, id="eventsite.E003")]


@register(Tags.security, deploy=True)
def login_page(**_: Any) -> list[CheckMessage]:
    """Refuse a login page on the machine of the person who logs in."""
    hint = "Set {0} to the https URL of the login page, or leave it out."
    return [
        Error(f"{name} is the visitor's own machine.", hint.format(name), id="eventsite.E007")
        for name in ("COGNITO_DOMAIN", "OIDC_ISSUER")
        if (url := getattr(settings, name)) and is_loopback(url)
    ]


@register(Tags.security, deploy=True)
def secret_key(**_: Any) -> list[CheckMessage]:
    """Refuse a key that can be guessed, as it signs sessions."""
    key = settings.SECRET_KEY
    weak = len(key) < MIN_KEY_CHARACTERS or len(set(key)) < MIN_KEY_VARIETY or key.startswith(LOCAL_KEY)
    hint = "Set SECRET_KEY to 50 or more random characters, for example from `openssl rand -base64 48`."
    return [Error("SECRET_KEY is weak.", hint, id="eventsite.E004")] if weak else []


@register(Tags.security)
def permissions(**_: Any) -> list[CheckMessage]:
    """Refuse calls that have no row in the table of permissions."""
    hint = "Give it a row of the table: `permission_of_action` of its view; see eventsite.auth.permissions."
    return [
        Error(f"{call} has no row in the table of permissions, so everybody is refused.", hint, id="eventsite.E006")
        for route, view in _routes(get_resolver().url_patterns)
        for call in _unlisted(route, view)
    ]


def _routes(patterns: Iterable[Any], prefix: str = "/") -> Iterator[tuple[str, Any]]:
    """Yield every path of the service, with the view behind it."""
    for pattern in patterns:
        path = f"{prefix}{pattern.pattern}"
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern.url_patterns, path)
        else:
            yield path, pattern.callback


def _unlisted(route: str, view: Any) -> Iterator[str]:
    """Yield the calls of a view without a row in the table. A view that is marked `for_everybody` needs none."""
    if getattr(view, "for_everybody", False):
        return
    if not _asks_the_table(view):
        yield route
        return
    rows = getattr(view.cls, "permission_of_action", {})
    for method, action in view.actions.items():
        if rows.get(action) not in TABLE:
            yield f"{method.upper()} {route}"


def _asks_the_table(view: Any) -> bool:
    options = getattr(view, "initkwargs", {})
    asked = options.get("permission_classes", getattr(getattr(view, "cls", None), "permission_classes", []))
    return Permitted in asked and hasattr(view, "actions")


@register("documentation")
def calls(**_: Any) -> list[CheckMessage]:
    """Refuse calls that have no description."""
    from eventsite.openapi.document import undescribed

    hint = 'Add CALLS["{}"] = Call(...) to the schema.py of its app.'
    return [Error(f"{call} has no description.", hint.format(call), id="eventsite.E005") for call in undescribed()]


@register("tables")
def markers(**_: Any) -> list[CheckMessage]:
    """Refuse a table for the markers of keyed requests that has other keys, or lets nothing expire."""
    from eventsite.dynamodb.base_model import table_models
    from eventsite.dynamodb.idempotency import Marker

    found = [model for model in table_models() if model.Meta.table_name == settings.MARKERS_TABLE]
    fits = [model for model in found if model.key_names() == settings.MARKERS_KEY]
    if any(model.Meta.expires_by == Marker.expires_at.attr_name for model in fits):
        return []
    hint = "Compare MARKERS_TABLE and MARKERS_KEY of the settings with the model that makes the table."
    return [Error("Markers of keyed requests do not fit into their table.", hint, id="eventsite.E008")]
