"""``manage.py check``: what a change must not forget; with ``--deploy`` also what must not go into production.

The settings refuse what makes no sense anywhere; the deployment checks refuse what is fine on a laptop only.
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
"""What many hosts have in common that are not one owner's: everything, a top-level domain, those that work like one."""


@register(Tags.security, deploy=True)
def auth_mode(**_: Any) -> list[CheckMessage]:
    """Nobody runs an open service by accident."""
    if settings.AUTH_MODE_CHOSEN:
        return []
    hint = "Set AUTH_MODE=cognito; or AUTH_MODE=open, if everybody shall be able to do everything."
    return [Error("AUTH_MODE is not set, so everybody may do everything.", hint, id="eventsite.E001")]


@register(Tags.security, deploy=True)
def debug(**_: Any) -> list[CheckMessage]:
    """No stack trace is shown to strangers."""
    return [Error("DEBUG is on.", "Unset DEBUG.", id="eventsite.E002")] if settings.DEBUG else []


@register(Tags.security, deploy=True)
def hosts(**_: Any) -> list[CheckMessage]:
    """A forged Host header must not decide where a login goes back to, or which page a form counts as from."""
    if settings.AUTH_MODE == "open" or not any(PUBLIC_SUFFIX.fullmatch(host) for host in settings.ALLOWED_HOSTS):
        return []
    hint = "Name the hosts in ALLOWED_HOSTS."
    return [Error("ALLOWED_HOSTS is a wildcard, and browsers sign in with cookies.", hint, id="eventsite.E003")]


@register(Tags.security, deploy=True)
def login_page(**_: Any) -> list[CheckMessage]:
    """People are not sent to their own machine to say their passwords."""
    if not settings.COGNITO_DOMAIN or not is_loopback(settings.COGNITO_DOMAIN):
        return []
    hint = "Set COGNITO_DOMAIN to the https URL of the pool's hosted UI, or leave it out."
    return [Error("COGNITO_DOMAIN is the machine that one sits at.", hint, id="eventsite.E007")]


@register(Tags.security, deploy=True)
def secret_key(**_: Any) -> list[CheckMessage]:
    """Whoever guesses the key can sign any session."""
    key = settings.SECRET_KEY
    weak = len(key) < MIN_KEY_CHARACTERS or len(set(key)) < MIN_KEY_VARIETY or key.startswith(LOCAL_KEY)
    hint = "Set SECRET_KEY to 50 or more random characters, for example from `openssl rand -base64 48`."
    return [Error("SECRET_KEY is weak.", hint, id="eventsite.E004")] if weak else []


@register(Tags.security)
def permissions(**_: Any) -> list[CheckMessage]:
    """Nothing is open because nobody has said who may do it."""
    hint = "Give it a row of the table: `permission_of_action` of its view; see eventsite.auth.permissions."
    return [
        Error(f"{call} has no row in the table of permissions, so everybody is refused.", hint, id="eventsite.E006")
        for route, view in _routes(get_resolver().url_patterns)
        for call in _unlisted(route, view)
    ]


def _routes(patterns: Iterable[Any], prefix: str = "/") -> Iterator[tuple[str, Any]]:
    """Every path of the service, with the view behind it."""
    for pattern in patterns:
        path = f"{prefix}{pattern.pattern}"
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern.url_patterns, path)
        else:
            yield path, pattern.callback


def _unlisted(route: str, view: Any) -> Iterator[str]:
    """The calls of a view that the table does not rule over. What says that it is `for_everybody` needs no row."""
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
    """Whether it is a viewset that `Permitted` stands in front of."""
    options = getattr(view, "initkwargs", {})
    asked = options.get("permission_classes", getattr(getattr(view, "cls", None), "permission_classes", []))
    return Permitted in asked and hasattr(view, "actions")


@register("documentation")
def calls(**_: Any) -> list[CheckMessage]:
    """Nobody has to read the code to learn what a call does."""
    from eventsite.openapi.document import undescribed

    hint = 'Add describe("{}", call=Call(...)) to the schema.py of its app.'
    return [Error(f"{call} has no description.", hint.format(call), id="eventsite.E005") for call in undescribed()]


@register("tables")
def markers(**_: Any) -> list[CheckMessage]:
    """The table that keeps the markers of keyed requests has their key, and lets them expire."""
    from eventsite.dynamodb.base_model import table_models
    from eventsite.dynamodb.idempotency import Marker

    found = [model for model in table_models() if model.Meta.table_name == settings.MARKERS_TABLE]
    fits = [model for model in found if model.key_names() == settings.MARKERS_KEY]
    if any(getattr(model.Meta, "expires_by", None) == Marker.expires_at.attr_name for model in fits):
        return []
    hint = "Compare MARKERS_TABLE and MARKERS_KEY of the settings with the model that makes the table."
    return [Error("Markers of keyed requests do not fit into their table.", hint, id="eventsite.E008")]
