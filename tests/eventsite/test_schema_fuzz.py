"""The service and its OpenAPI document agree, whatever is sent: Schemathesis makes requests out of the document.

Half of the valid requests go to things that exist, so that more than 404s is seen.
"""

import uuid

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from eventsite.wsgi import application
from tests.api import Api

schema = schemathesis.openapi.from_wsgi("/schema", application)

# A valid If-Match may be one that does not match any more.
schema.config.checks.positive_data_acceptance.expected_statuses.append("412")

EXISTING = {"eventId": "spring-party", "userId": "alice"}
COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.fixture
def world(api: Api) -> None:
    """An event with a seat taken and somebody waiting."""
    event = api.event(eventId="spring-party", capacity=1)
    for user in ("alice", "bob"):
        api.register(event, api.user(user))


def _check(case: schemathesis.Case) -> None:
    valid = case.meta is not None and case.meta.generation.mode.is_positive
    if valid and case.path_parameters and len(str(case.path_parameters)) % 2:
        case.path_parameters.update({name: EXISTING[name] for name in case.path_parameters})
    if valid and case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())  # one key may not come with two bodies
    if valid and case.query:
        case.query.pop("cursor", None)  # any text looks like a cursor, and only a signed one is: see test_cursors.py
    case.call_and_validate()


@schema.parametrize()
@settings(max_examples=40, derandomize=True, **COMMON)
def test_every_answer_is_as_documented(case: schemathesis.Case, world: None) -> None:
    _check(case)


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=300, **COMMON)
def test_every_answer_is_as_documented_in_depth(case: schemathesis.Case, world: None) -> None:
    _check(case)
