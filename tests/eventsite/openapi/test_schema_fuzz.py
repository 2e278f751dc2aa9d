"""The service and its OpenAPI document agree, whatever is sent: Schemathesis makes requests out of the document.

All of its checks run: no server errors; status, content type, headers and body as documented; what the document
forbids is refused, and what it allows is accepted; methods it does not name are refused, with an Allow header. It
leaves out the path of the document itself (`GET /schema`): test_documentation.py asks for that.

`@schema.parametrize()` would invent the requests at collection, which costs each worker of the suite 12 s of CPU.
"""

import uuid
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.python._constants.orchestrator import make_constants_value_source

from eventsite.web.fields import time_zones
from eventsite.wsgi import application
from tests.api import Api
from tests.openapi import resolved

schema = schemathesis.openapi.from_wsgi("/schema", application)
OPERATIONS = {each.label: each for each in (result.ok() for result in schema.get_all_operations())}  # type: ignore[union-attr]

# A valid If-Match may be one that does not match any more, and an If-None-Match one that still does.
schema.config.checks.positive_data_acceptance.expected_statuses += ["304", "412"]

schemathesis.openapi.format("iana-time-zone", st.sampled_from(sorted(time_zones())))

WINDOW = {
    "date": "2083-04-01",
    "endDate": "2083-04-02",
    "registrationOpensAt": "2083-01-01T00:00:00Z",
    "registrationClosesAt": "2083-02-01T00:00:00Z",
}
EXISTING = {"eventId": "spring-party", "userId": "alice"}
EDITED = {"title", "location", "capacity", "organizer", "name", "notify"}
COMMON: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


def changes(body: dict[str, Any]) -> bool:
    """Return whether an edit changes something for certain: unknown fields and nulls do not."""
    return any(body.get(name) is not None for name in EDITED)


class World:
    """What there is while the requests come: an event with one seat, which alice has, and bob, who waits."""

    def __init__(self, api: Api) -> None:
        self._api, self._valid = api, 0
        api.event(eventId=EXISTING["eventId"], capacity=1)
        for user in ("alice", "bob"):
            api.register(EXISTING["eventId"], api.user(user))
        address = api.put("/users/alice/calendar").json()["url"]
        self._existing = EXISTING | {"token": address.rpartition("/")[2].removesuffix(".ics")}

    def aim(self, case: schemathesis.Case) -> None:
        """Make a valid request fit for its own answer, and aim every other one at existing items."""
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return
        case.query.pop("cursor", None)  # any text looks like a cursor, and only a signed one is
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = str(uuid.uuid4())  # one key may not come with two bodies
        if "If-Match" in case.headers:
            case.headers["If-Match"] = '"1"'
        if isinstance(case.body, dict) and {"startTime", "endTime", "timeZone"} & case.body.keys():
            # A start and a zone go together, also together with the stored ones.
            case.body |= {"startTime": "19:00", "timeZone": "Europe/Berlin"}
        alone = {"date"} if case.method == "POST" else set()  # an edit may meet a stored last day
        if isinstance(case.body, dict) and (sent := case.body.keys() & WINDOW.keys()) - alone:
            # So do the days, and the ends of the window.
            case.body |= {name: WINDOW[name] for name in sent if case.body[name] is not None}
        if case.method in ("PUT", "PATCH") and isinstance(case.body, dict) and not changes(case.body):
            case.body |= {"title": "Moved", "name": "Moved"}  # an edit changes something, whatever else it carries
        if isinstance(case.body, dict) and case.body.get("userId") == "me":
            case.body["userId"] = "you"  # the one reserved id, which no pattern shows
        if isinstance(case.body, dict) and case.body.get("questions"):
            # Each has an id of its own, and a choice has something to choose from.
            case.body["questions"] = [{"questionId": "badge", "label": "Name?", "kind": "text"}]
        self._valid += 1
        if self._valid % 2:
            self._hit(case)

    def _hit(self, case: schemathesis.Case) -> None:
        """Let the request find its event, its user and its registration, in a version that matches."""
        case.path_parameters.update({name: self._existing[name] for name in case.path_parameters})
        if "If-Match" in case.headers:
            case.headers["If-Match"] = "*"
        if case.method == "POST" and "eventId" in case.path_parameters and isinstance(case.body, dict):
            case.body |= {"userId": self._api.user()}
        if case.method == "DELETE" and "userId" in case.path_parameters:
            self._api.register(EXISTING["eventId"], EXISTING["userId"])


def known(case: schemathesis.Case, answer: Any) -> None:
    """Hold a problem to the codes that the document names for this call and status."""
    if answer.headers.get("content-type", [""])[0] != "application/problem+json" or answer.status_code == 405:
        return
    document = case.operation.schema.raw_schema
    responses = document["paths"][case.operation.path][case.method.lower()]["responses"]
    described = resolved(document, responses[str(answer.status_code)])
    examples = described["content"]["application/problem+json"]["examples"]
    assert answer.json()["code"] in examples, answer.json()


@pytest.fixture
def world(api: Api) -> World:
    """Return the world, new for each operation."""
    return World(api)


def search(operation: str, world: World, chosen: settings) -> None:
    """Let Schemathesis invent requests of an operation, and hold each answer to the document."""

    def judge(case: schemathesis.Case) -> None:
        world.aim(case)
        known(case, case.call_and_validate())

    load_all_checks()
    test = build_operation_test(
        config=schema.config,
        operation=OPERATIONS[operation],
        test_func=chosen(judge),
        given_kwargs={},
        feedback=FeedbackSources(constants_value_source=make_constants_value_source(schema)),
    )
    test()


OTHER_NAMES = {name for name in OPERATIONS if name.startswith("PUT ") and name.replace("PUT", "PATCH") in OPERATIONS}
"""Operations that are another one under a second method. The slow test searches them too."""


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name not in OTHER_NAMES])
def test_every_answer_is_as_documented(operation: str, world: World) -> None:
    search(operation, world, settings(max_examples=4, derandomize=True, **COMMON))


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_as_documented_in_depth(operation: str, world: World) -> None:
    search(operation, world, settings(max_examples=60, **COMMON))
