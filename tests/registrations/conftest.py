"""Runs the modules marked `torn` on the engine with DynamoDB's isolation."""

from collections.abc import Iterator

import pytest

from tests.engines import served_by
from tests.torn import Torn

WEATHER = {"torn": 0.3, "shortest": 0.001, "longest": 0.008, "lag": 0.0, "lost": 0.0, "late": 0.0, "seed": 1}
"""What a module begins with. Its tests may set the rest: an index that lags is right for those who wait for it."""


@pytest.fixture(scope="module", autouse=True)
def engine(engine: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of the engine that the service uses in this module (`--engine` decides for all modules)."""
    wanted = request.config.getoption("engine")
    if wanted == "kind" or (wanted == "marked" and request.node.get_closest_marker("torn") is None):
        yield engine
        return
    torn: Torn = request.getfixturevalue("torn_engine")
    torn.set(**WEATHER)
    with served_by(torn.url):
        yield torn.url
