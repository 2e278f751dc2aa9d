"""People with tokens: from the engine's own Cognito, over HTTP, with real signatures and a real JWKS."""

from functools import lru_cache
from typing import Any, NamedTuple

import pytest
from django.http import HttpResponse
from pytest_django.fixtures import Settings

from eventsite.auth import acting
from eventsite.auth.permissions import ADMINS, ORGANIZERS
from eventsite.local import user_pool
from tests.api import Api


class Person(NamedTuple):
    """Somebody in the user pool."""

    sub: str
    access: str
    id: str


class As(Api):
    """The service, called with a token in every request."""

    def __init__(self, token: str | None) -> None:
        super().__init__()
        self._token = token

    def call(self, method: str, path: str, body: Any = None, *, raw: Any = None, **headers: str) -> Any:
        """Send a request with the token of a user, or without one."""
        named = {"authorization": f"Bearer {self._token}"} if self._token else {}
        return super().call(method, path, body, raw=raw, **(named | headers))


class Acting(Api):
    """A browser of an open service that acts as an attendee."""

    def __init__(self, user_id: str) -> None:
        super().__init__()
        answer = HttpResponse()
        acting.start(answer, user_id, user_id.title())
        self._cookie = f"{acting.COOKIE}={answer.cookies[acting.COOKIE].value}"

    def call(self, method: str, path: str, body: Any = None, *, raw: Any = None, **headers: str) -> Any:
        """Send a request with the cookie of the role."""
        return super().call(method, path, body, raw=raw, **({"cookie": self._cookie} | headers))


def use_pool(settings: Settings, pool_id: str, client_id: str, *, jwks_url: str = "", domain: str = "") -> None:
    """Let the service trust a pool that its settings name."""
    settings.USER_POOL = "eventsite.auth.user_pool.configured"
    settings.COGNITO_USER_POOL_ID, settings.COGNITO_CLIENT_ID = pool_id, client_id
    settings.COGNITO_JWKS_URL, settings.COGNITO_DOMAIN, settings.LOGIN_ORIGIN = jwks_url, domain, domain


@lru_cache
def person(name: str, *groups: str) -> Person:
    """Somebody of this name, in these groups, signed in."""
    user_pool.add_user(name, list(groups))
    tokens = user_pool.tokens(name)
    user = user_pool.client(user_pool.url()).get_user(AccessToken=tokens["AccessToken"])
    sub = next(attribute["Value"] for attribute in user["UserAttributes"] if attribute["Name"] == "sub")
    return Person(sub, tokens["AccessToken"], tokens["IdToken"])


def alice() -> Person:
    """In no group."""
    return person("alice")


def olivia() -> Person:
    """An organizer."""
    return person("olivia", ORGANIZERS)


def oscar() -> Person:
    """Another organizer."""
    return person("oscar", ORGANIZERS)


def adam() -> Person:
    """An admin."""
    return person("adam", ADMINS)


@pytest.fixture
def cognito(engine: str, settings: Settings) -> None:
    """Turn sign-in on, with the pool of the engine's Cognito."""
    settings.AUTH_MODE = "cognito"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *settings.SIGN_IN_MIDDLEWARE]
