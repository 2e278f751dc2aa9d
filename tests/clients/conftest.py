"""The document, as the tests of the documentation read it."""

from tests.eventsite.conftest import document  # noqa: F401 (a fixture)
