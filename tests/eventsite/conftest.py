"""What the tests of the service's pages share."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from django.urls import get_script_prefix, set_script_prefix

from tests.api import Api
from tests.pages import Browser


@pytest.fixture(params=["", "/prod"], ids=["at the root", "behind /prod"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A browser of the service, at the root of its host and behind a stage prefix."""
    base, before = request.param, get_script_prefix()
    stage = {"BASE_PATH": base, "FORCE_SCRIPT_NAME": base, "STATIC_URL": f"{base}/static/"} if base else {}
    with override_settings(**stage):
        set_script_prefix(f"{base}/")
        yield Browser(base)
        set_script_prefix(before)


@pytest.fixture
def document(api: Api) -> Any:
    """The OpenAPI document."""
    return api.get("/schema").json()
