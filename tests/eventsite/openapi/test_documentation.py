"""The documentation: complete, served by the service alone, right behind a stage prefix, and free until asked for."""

import json
import os
import re
import subprocess
import sys
from io import StringIO
from typing import Any
from urllib.parse import urljoin

import pytest
import yaml
from django.core import checks
from django.core.management import call_command
from django.test import Client

import eventsite
from eventsite.openapi import calls
from eventsite.openapi import document as openapi
from tests.api import Api, problem
from tests.openapi import resolved
from tests.pages import ORIGIN, Browser

PREFILLED_BY_NOBODY = {"cursor", "organizerId", "Idempotency-Key", "If-Match", "If-None-Match"}
"""Swagger UI fills its forms with the examples: these parameters would make the answer one that nobody wants."""


def test_the_document_is_valid_and_nothing_in_it_is_guessed() -> None:
    printed = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=printed)
    assert yaml.safe_load(printed.getvalue())["info"]["title"] == "eventsite"


def test_it_is_valid_openapi(document: Any) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_components_have_names_that_programs_can_have_and_tags_are_declared(document: Any) -> None:
    names = [name for parts in document["components"].values() for name in parts]
    assert [name for name in names if not name.isidentifier()] == []
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert {tag for one in operations for tag in one["tags"]} == {tag["name"] for tag in document["tags"]}
    assert {one["operationId"] for one in operations if one["security"] == []} == {
        *("getRoot", "getHealth", "getDocs", "getRedoc", "getSchema", "getOpenapi"),
    }


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("path", ["/docs", "/redoc", "/schema", "/openapi.json", "/docs/"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_another_method_is_refused_as_such_where_users_sign_in(path: str, method: str) -> None:
    answer = Client(SERVER_NAME="localhost", enforce_csrf_checks=True).generic(method, path)
    assert problem(answer) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_it_is_made_once_and_need_not_be_sent_twice(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    first = api.get("/schema")

    def never() -> None:
        raise AssertionError

    monkeypatch.setattr("eventsite.openapi.views.document", never)
    assert api.get("/schema").content == first.content
    assert api.get("/schema", if_none_match=first.headers["ETag"]).status_code == 304


def test_it_names_itself(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    assert (document["info"]["title"], document["info"]["version"]) == ("eventsite", eventsite.__version__)


def test_it_is_json_unless_yaml_is_asked_for(api: Api, document: Any) -> None:
    assert api.get("/schema").headers["Content-Type"].startswith("application/json")
    for answer in (api.get("/schema?format=yaml"), api.get("/schema", accept="application/yaml")):
        assert yaml.safe_load(answer.content) == document
    assert api.get("/schema?format=json").json() == document


def test_every_call_has_a_name_of_its_own_and_an_example_of_each_part(document: Any) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert {"listEvents", "createEvent", "getEvent", "updateEvent", "deleteEvent", "register", "createUser"} <= {*names}
    for operation in operations:
        for parameter in (resolved(document, part) for part in operation.get("parameters", [])):
            assert ("example" in parameter) is not (parameter["name"] in PREFILLED_BY_NOBODY), parameter
        for answer in [*operation["responses"].values(), operation.get("requestBody", {})]:
            for kind, content in resolved(document, answer).get("content", {}).items():
                described = {"example", "examples"} & content.keys() or operation["tags"] == ["eventsite"]
                assert described, (operation["operationId"], kind)


def test_every_example_fits_its_schema(document: Any) -> None:
    from jsonschema import Draft202012Validator

    def check(schema: Any, example: Any) -> None:
        Draft202012Validator(schema | {"components": document["components"]}).validate(example)

    checked = 0
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in (resolved(document, part) for part in operation.get("parameters", [])):
                if "example" in parameter:
                    check(parameter["schema"], parameter["example"])
            for answer in [*operation["responses"].values(), operation.get("requestBody", {})]:
                for content in resolved(document, answer).get("content", {}).values():
                    examples = [one["value"] for one in content.get("examples", {}).values()]
                    for example in examples + ([content["example"]] if "example" in content else []):
                        check(content["schema"], example)
                        checked += 1
    assert checked > 100


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/redoc", "/redoc/", "/", "/events", "/events/"])
def test_pages_take_everything_from_the_service_itself(browser: Browser, path: str) -> None:
    page = browser.open(path)
    assert page.status == 200
    assert page.resources
    for resource in page.resources:
        address = urljoin(f"{ORIGIN}{browser.base}{path}", resource)
        if resource.startswith("data:"):
            continue
        assert address.startswith(f"{ORIGIN}{browser.base}/"), resource
        status, content = browser.download(address)
        assert (status, bool(content)) == (200, True), resource
        if resource.endswith(".css"):
            for inner in re.findall(rb"url\(['\"]?([^)'\"#?]+)", content):
                font = urljoin(address, inner.decode())
                assert inner.startswith(b"data:") or browser.download(font)[0] == 200, font


def test_pages_ask_for_the_document_where_it_is(browser: Browser) -> None:
    assert f'url: "{browser.base}/schema"' in _script(browser)
    assert f'spec-url="{browser.base}/schema"' in browser.open("/redoc").html
    served = json.loads(browser.download(f"{browser.base}/schema")[1])
    assert served["servers"] == [{"url": browser.base or "/"}]


def test_one_variable_puts_the_whole_service_behind_a_stage_prefix() -> None:
    program = """
import django
django.setup()
from tests.pages import Browser
browser = Browser("/prod")
for page in (browser.open("/docs"), browser.open("/redoc"), browser.open("/events")):
    for address in page.resources:
        if not address.startswith("data:"):
            print(browser.download(address)[0] if address.startswith("/prod/") else address)
"""
    environment = os.environ | {"BASE_PATH": "/prod"}
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()
    assert len(printed) > 5
    assert set(printed) == {"200"}


def _script(browser: Browser) -> str:
    return browser.download(f"{browser.base}/docs?script=")[1].decode()


def test_swagger_ui_asks_no_other_server(browser: Browser) -> None:
    assert '"validatorUrl": null' in _script(browser)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/schema"])
def test_what_goes_wrong_on_these_pages_is_a_problem_document(api: Api, path: str) -> None:
    assert problem(api.post(path, {})) == (405, "method_not_allowed")
    assert problem(api.get(path, accept="image/png")) == (406, "not_acceptable")


def test_requests_do_not_pay_for_the_documentation() -> None:
    program = """
import sys
from eventsite.wsgi import application
from django.test import Client
assert Client(SERVER_NAME="localhost").get("/").status_code == 200
print([name for name in sys.modules if name.startswith("drf_spectacular.") or name.endswith(".schema")])
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    allowed = {"drf_spectacular.apps", "drf_spectacular.checks"}
    assert set(re.findall("'(.+?)'", printed)) <= allowed


def test_a_call_without_a_description_is_a_sentence_of_the_system_check(
    monkeypatch: pytest.MonkeyPatch, document: Any
) -> None:
    assert checks.run_checks(tags=["documentation"]) == []
    monkeypatch.delitem(calls.CALLS, "GET /users/{userId}")
    said = [str(message.msg) for message in checks.run_checks(tags=["documentation"])]
    assert said == ["GET /users/{userId} has no description."]


def test_a_call_without_a_description_is_documented_from_the_code(
    monkeypatch: pytest.MonkeyPatch, document: Any
) -> None:
    monkeypatch.delitem(calls.CALLS, "GET /users/{userId}")
    bare = openapi.document()["paths"]
    assert bare.keys() == document["paths"].keys()
    assert bare["/users/{userId}"]["get"]["parameters"] == document["paths"]["/users/{userId}"]["get"]["parameters"]
