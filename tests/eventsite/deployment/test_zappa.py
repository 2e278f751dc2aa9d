"""From a fresh checkout to answers out of DynamoDB: `zappa deploy` against an emulated AWS that enforces IAM."""

import io
import json
import os
import re
import subprocess
import urllib.request
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import requests

from eventsite.deployment.lambda_package import ROOT
from tests import tour
from tests.api import EVENT
from tests.bench import stage
from tests.eventsite.deployment.sign_in import Pool
from tests.eventsite.deployment.zappa_project import REGION, Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("deployed")]

SECONDS = 120
LOOKS = 20
MAX_BYTES = 42_000_000
CALLS: list[tuple[str, str, Any, int]] = [
    ("GET", "/", None, 200),
    ("GET", "/health", None, 200),
    ("GET", "/docs", None, 200),
    ("GET", "/redoc", None, 200),
    ("GET", "/schema", None, 200),
    ("POST", "/events", EVENT | {"eventId": "contract", "capacity": 1}, 201),
    ("POST", "/events", EVENT | {"eventId": "contract", "capacity": 1}, 201),
    ("GET", "/events?status=published", None, 200),
    ("GET", "/events?organizerId=somebody", None, 200),
    ("GET", "/events/contract", None, 200),
    ("PUT", "/events/contract", {"title": "Summer party"}, 200),
    ("PATCH", "/events/contract", {"location": "Roof"}, 200),
    ("POST", "/users", {"userId": "contract-1", "name": "One"}, 201),
    ("GET", "/users", None, 200),
    ("GET", "/users/contract-1", None, 200),
    ("POST", "/events/contract/registrations", {"userId": "contract-1"}, 201),
    ("GET", "/events/contract/registrations", None, 200),
    ("GET", "/events/contract/registrations?status=cancelled", None, 200),
    ("GET", "/events/contract/waitlist", None, 200),
    ("GET", "/events/contract/registrations/contract-1", None, 200),
    ("GET", "/users/contract-1/registrations", None, 200),
    ("GET", "/users/contract-1/waitlists", None, 200),
    ("DELETE", "/events/contract", None, 409),
    ("DELETE", "/events/contract/registrations/contract-1", None, 200),
    ("POST", "/events/contract/register", {"userId": "contract-1"}, 201),
    ("DELETE", "/events/contract/register/contract-1", None, 200),
    ("PATCH", "/events/contract", {"capacity": 0, "waitlistEnabled": True}, 200),
    ("POST", "/events/contract/registrations", {"userId": "contract-1"}, 201),
    ("DELETE", "/events/contract?registrations=cancel", None, 204),
]
"""Every row of the contract's table of calls, and what comes of it when they are made in this order."""
ANY_TYPE = "*~1*"
"""The binary type that Zappa adds to the API, ``*/*``: the emulator keeps it as it is escaped in the patch's path."""
TABLES = ("events", "users", "registrations")
NEW_TABLE = (
    "KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}], "
    "AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}]"
)


def get(project: Project, path: str, **headers: str) -> requests.Response:
    return requests.get(project.url("dev") + path, headers=headers, timeout=SECONDS)


def post(project: Project, path: str, body: Any, **headers: str) -> requests.Response:
    return requests.post(project.url("dev") + path, json=body, headers=headers, timeout=SECONDS)


def log_lines(project: Project) -> list[dict[str, Any]]:
    """The JSON lines that `zappa tail` shows, oldest first."""
    printed = project.zappa("tail", "dev", "--since", "10m", "--disable-keep-open", "--no-color")
    return [json.loads(line) for line in re.findall(r'^\[\d+\] (\{".*\})$', printed, re.MULTILINE)]


def logged(project: Project, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the last line that fits. The log is read again while it has none, as it is written with a delay."""
    for _ in range(LOOKS):
        lines = [line for line in log_lines(project) if wanted(line)]
        if lines:
            return lines[-1]
    raise AssertionError("there is no such line in the log")


@cache
def deployed_package(project: Project) -> zipfile.ZipFile:
    location = project.client("lambda").get_function(FunctionName="eventsite-dev")["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:
        return zipfile.ZipFile(io.BytesIO(answer.read()))


def test_a_stage_that_is_undecided_is_not_deployed(project: Project) -> None:
    (project.directory / ".env.spare").unlink(missing_ok=True)
    assert "copy .env.example to .env.spare" in project.zappa("deploy", "spare", fails=True)
    project.choose("spare", LOG_LEVEL="LOUD")
    assert "LOG_LEVEL must be one of" in project.zappa("deploy", "spare", fails=True)
    functions = project.client("lambda").list_functions()["Functions"]
    assert "eventsite-spare" not in [function["FunctionName"] for function in functions]


def test_without_credentials_it_stops_with_a_sentence(project: Project) -> None:
    project.choose("spare")
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
    refusal = project.zappa("deploy", "spare", fails=True, **nowhere, **nobody)
    assert "Unable to locate credentials" in refusal and "Traceback" not in refusal


def test_a_plan_of_a_deployed_stage_changes_the_code_alone(dev: Project) -> None:
    planned = dev.manage("dev", "plan", "dev")
    assert planned.returncode == 0, planned.stderr
    assert "0 to make, 1 to change, 0 to replace, 0 to remove" in planned.stdout
    assert re.search(r"^change +code of eventsite-dev +sent by every update$", planned.stdout, re.M)


def test_the_outputs_are_what_people_look_for(dev: Project) -> None:
    outputs = dev.outputs("dev")
    assert outputs["ApiEndpoint"] == f"https://{dev.api('dev')}.execute-api.{REGION}.amazonaws.com/dev"
    assert [outputs[f"{table.title()}TableName"] for table in TABLES] == [f"eventsite-dev-{name}" for name in TABLES]
    assert outputs["LogGroupName"] == "/aws/lambda/eventsite-dev"
    assert dev.client("cloudwatch").get_dashboard(DashboardName="eventsite-dev")["DashboardBody"]


def test_a_package_is_made_without_aws(project: Project) -> None:
    project.choose("spare")
    nobody: Any = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
    nowhere: Any = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_ENDPOINT_URL": ""}
    assert "Package created" in project.zappa("package", "spare", "--output", "package.zip", **nobody, **nowhere)
    names = zipfile.ZipFile(project.directory / "package.zip").namelist()
    assert {"django", "eventsite", "registrations", "zappa"} <= {name.partition("/")[0] for name in names}


def test_it_serves_health_and_links_with_the_stage_in_them(dev: Project) -> None:
    health = get(dev, "/health")
    assert (health.status_code, health.json()["status"]) == (200, "healthy")
    links = get(dev, "/").json()
    assert links["events"].endswith("/dev/events")
    assert links["schema"].endswith("/dev/schema")


class DeployedService:
    """The deployed stage, as the commands of README's tour see it, which need no restart there."""

    def __init__(self, url: str) -> None:
        self._url, self._setup = url, ""

    def run(self, command: str) -> str:
        here = command.replace("http://localhost:8000", self._url)
        if re.match(r"\w+=", here):
            self._setup = here
        done = subprocess.run(
            ["bash", "-c", f"{self._setup}\n{here}"], capture_output=True, text=True, check=True, timeout=SECONDS
        )
        linked = re.sub(r"https://127\.0\.0\.1:\d+/dev/", "http://localhost:8000/", done.stdout)
        return linked.replace('"instance":"/dev/', '"instance":"/')

    def restart(self) -> None:
        pass


def test_it_lives_through_the_tour_of_the_readme(dev: Project) -> None:
    section = tour.text((ROOT / "README.md").read_text())
    service: Any = DeployedService(dev.url("dev"))
    lived = tour.alike(tour.lived_through(section, service))
    # API Gateway writes header names its own way
    assert lived.lower() == tour.alike(section).lower()


def test_the_role_allows_every_call_of_the_contract(dev: Project) -> None:
    called = [(method, path, called_with(dev, method, path, body)) for method, path, body, _ in CALLS]
    assert called == [(method, path, status) for method, path, _, status in CALLS]


def called_with(project: Project, method: str, path: str, body: Any) -> int:
    keyed = {"Idempotency-Key": f"contract {path}".replace(" ", "-")} if method == "POST" else {}
    answer = requests.request(method, project.url("dev") + path, json=body, headers=keyed, timeout=SECONDS)
    return answer.status_code


@pytest.mark.parametrize("page", ["/docs", "/redoc", "/events"])
def test_pages_link_to_assets_that_are_there(dev: Project, page: str) -> None:
    html = get(dev, page, Accept="text/html").text
    assets = set(re.findall(r'(?:src|href)="([^"]+\.(?:js|css|png))"', html))
    assert assets and all(asset.startswith("/dev/static/") for asset in assets)
    for asset in sorted(assets):
        served = get(dev, asset.removeprefix("/dev"), Accept=ANY_TYPE)
        assert served.status_code == 200, asset
        assert served.content == package_static(dev, re.sub("^/dev/static/[0-9a-f]{16}/", "", asset))


def package_static(project: Project, path: str) -> bytes:
    """A static file out of the package, from whichever app it comes."""
    package = deployed_package(project)
    name = next(name for name in package.namelist() if name.endswith(f"/static/{path}"))
    return package.read(name)


def test_the_schema_is_served(dev: Project) -> None:
    schema = get(dev, "/schema", Accept="application/json")
    assert schema.status_code == 200
    assert "/events/{eventId}/registrations" in schema.text or "/events/{event_id}/registrations" in schema.text


def test_the_browsable_api_shows_forms(dev: Project) -> None:
    page = get(dev, "/events", Accept="text/html")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<form" in page.text


def test_failures_are_problem_documents_as_text(dev: Project) -> None:
    missing, wrong = get(dev, "/events/nowhere"), post(dev, "/events", {"title": " "})
    assert (missing.status_code, missing.json()["code"]) == (404, "event_not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "validation_error")
    assert {answer.headers["Content-Type"] for answer in (missing, wrong)} == {"application/problem+json"}


def test_a_preflight_is_answered(dev: Project) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "PATCH"}
    answer = requests.options(dev.url("dev") + "/events/any", headers=asked, timeout=SECONDS)
    assert answer.status_code == 200
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]


def test_a_request_is_one_line_of_json_in_the_log(dev: Project) -> None:
    answer = get(dev, "/users/somebody-unknown", **{"X-Correlation-Id": "tail-me"})
    assert answer.headers["X-Correlation-Id"] == "tail-me"
    line = logged(dev, lambda line: line.get("correlation_id") == "tail-me")
    assert (line["status"], line["method"], line["route"]) == (404, "GET", "users/<str:user_id>")
    assert {"request_id", "duration_ms", "cold_start", "xray_trace_id"} <= line.keys()
    assert "somebody-unknown" not in json.dumps(line)


def test_registrations_are_counted(dev: Project) -> None:
    event = post(dev, "/events", EVENT | {"capacity": 1}).json()["eventId"]
    for user in ("counted-1", "counted-2"):
        post(dev, "/users", {"userId": user, "name": user})
        post(dev, f"/events/{event}/registrations", {"userId": user})
    requests.delete(f"{dev.url('dev')}/events/{event}/registrations/counted-1", timeout=SECONDS)
    assert logged(dev, lambda line: "Registrations" in line)["Registrations"] == [1.0]
    assert logged(dev, lambda line: "Waitlisted" in line)["Waitlisted"] == [1.0]
    left = logged(dev, lambda line: "Cancellations" in line)
    assert (left["Cancellations"], left["Promotions"], left["service"]) == ([1.0], [1.0], "eventsite-dev")
    assert left["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "eventsite"


def test_commands_run_in_the_lambda(dev: Project) -> None:
    assert "no issues" in dev.zappa("manage", "dev", "check")
    assert "42" in dev.zappa("invoke", "dev", "print(6 * 7)", "--raw")


def test_the_bench_for_a_stage_measures_it(dev: Project, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [dev.url("dev"), "--yes", "--clients", "4", "--repeats", "3", "--no-simulation"]
    assert stage.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "the event is full" in printed and "Everything that was made is removed." in printed


def test_the_nightly_audit_finds_nothing_wrong(dev: Project) -> None:
    rules = dev.client("events").list_rules(NamePrefix="eventsite-dev-")["Rules"]
    assert [rule["ScheduleExpression"] for rule in rules if "nightly" in rule["Name"]] == ["cron(0 3 * * ? *)"]
    dev.zappa("invoke", "dev", "registrations.nightly.audit")
    counted = logged(dev, lambda line: "AuditFindings" in line)
    assert (counted["AuditFindings"], counted["AuditUnfinished"]) == ([0.0], [0.0])


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("CreateTable", f"create_table(TableName='eventsite-dev-more', {NEW_TABLE})"),
        ("DeleteTable", "delete_table(TableName='eventsite-dev-users')"),
        ("GetItem", "get_item(TableName='eventsite-prod-users', Key={'userId': {'S': 'a'}})"),
        ("Scan", "scan(TableName='eventsite-dev-events', IndexName='status-date')"),
    ],
)
def test_the_lambda_may_do_nothing_else(dev: Project, action: str, call: str) -> None:
    command = f"import boto3; boto3.client('dynamodb').{call}"
    answer = dev.client("lambda").invoke(
        FunctionName="eventsite-dev", Payload=json.dumps({"raw_command": command}).encode()
    )
    failure = json.loads(answer["Payload"].read())
    assert "AccessDenied" in failure["errorMessage"] and action in failure["errorMessage"]


def test_the_stage_is_set_up(dev: Project) -> None:
    dynamodb, stage = (
        dev.client("dynamodb"),
        dev.client("apigateway").get_stage(restApiId=dev.api("dev"), stageName="dev"),
    )
    for name in TABLES:
        table = dynamodb.describe_table(TableName=f"eventsite-dev-{name}")["Table"]
        tags = dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
        backups = dynamodb.describe_continuous_backups(TableName=f"eventsite-dev-{name}")
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert {"Key": "stage", "Value": "dev"} in tags
        assert (table["DeletionProtectionEnabled"], recovery["PointInTimeRecoveryStatus"]) == (True, "ENABLED")
    methods = stage["methodSettings"]["*/*"]
    assert (methods["throttlingRateLimit"], methods["throttlingBurstLimit"]) == (100, 200)
    assert stage["tracingEnabled"]
    assert retention(dev, "dev") == 14
    function = dev.client("lambda").get_function_configuration(FunctionName="eventsite-dev")
    assert (function["MemorySize"], function["Timeout"]) == (512, 30)
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert len(function["Environment"]["Variables"]["SECRET_KEY"]) >= 50


def retention(project: Project, stage: str) -> int:
    name = f"/aws/lambda/eventsite-{stage}"
    groups = project.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    (group,) = (each for each in groups if each["logGroupName"] == name)
    return int(group["retentionInDays"])


def test_the_package_holds_nothing_that_does_not_run(dev: Project) -> None:
    names = deployed_package(dev).namelist()
    unwanted = re.compile(
        r"(^|/)\.|^tests/|pytest|hypothesis|mypy|ruff|ministack|moto/|boto3|deployment|eventsite/local|\.(mo|po|map|pyi|zip)$"
    )
    wrong = [name for name in names if unwanted.search(name) and ".dist-info/" not in name]
    assert not wrong
    assert sum(entry.file_size for entry in deployed_package(dev).infolist()) <= MAX_BYTES
    sources = {name for name in names if name.endswith(".py")}
    compiled = {re.sub(r"__pycache__/(.+)\.cpython-\d+\.pyc$", r"\1.py", name) for name in names}
    assert sources <= compiled


def test_an_update_serves_the_new_code_and_changes_nothing_else(dev: Project) -> None:
    before = settings_of(dev)
    version = dev.directory / "eventsite" / "__init__.py"
    version.write_text(re.sub(r'__version__ = ".*"', '__version__ = "99.0.0"', version.read_text()))
    printed = dev.zappa("update", "dev")
    assert "live" in printed and not re.search(r"^(Made|Changed|Removed|Took over|Created) ", printed, re.MULTILINE)
    assert get(dev, "/").json()["version"] == "99.0.0"
    assert settings_of(dev) == before


def settings_of(project: Project) -> list[Any]:
    """What an update has to leave as it was."""
    function = project.client("lambda").get_function_configuration(FunctionName="eventsite-dev")
    stage = project.client("apigateway").get_stage(restApiId=project.api("dev"), stageName="dev")
    stack = project.client("cloudformation").describe_stacks(StackName="eventsite-dev")["Stacks"][0]
    return [function["Environment"], stage["methodSettings"]["*/*"], stage["tracingEnabled"], stack]


@pytest.fixture(scope="module")
def prod(project: Project) -> Project:
    """The stage `prod`, in which people sign in to a pool of its own."""
    project.choose("prod", AUTH_MODE="cognito", SIGN_IN_CODES="false")
    project.zappa("deploy", "prod")
    return project


def test_people_sign_in_and_a_stage_that_is_taken_down_leaves_its_data(prod: Project) -> None:
    pool = Pool(prod, "prod")
    events = f"{prod.url('prod')}/events"
    nobody = requests.post(events, json=EVENT, timeout=SECONDS)
    assert (nobody.status_code, nobody.headers["WWW-Authenticate"][:6]) == (401, "Bearer")
    assert nobody.headers["Content-Type"] == "application/problem+json"
    forged = requests.post(events, json=EVENT, headers=bearer("e30.e30.e30"), timeout=SECONDS)
    assert (forged.status_code, forged.json()["status"]) == (401, 401)
    attendee = requests.post(events, json=EVENT, headers=bearer(pool.token("alice@example.org")), timeout=SECONDS)
    assert attendee.status_code == 403
    granted = prod.manage("prod", "user", "prod", "olivia@example.org", "--organizer")
    assert granted.stdout.endswith("olivia@example.org is in the group Organizers, from the next login on.\n")
    organizer = requests.post(events, json=EVENT, headers=bearer(pool.token("olivia@example.org")), timeout=SECONDS)
    assert (organizer.status_code, bool(organizer.json()["organizerId"])) == (201, True)
    assert retention(prod, "prod") == 90

    assert "--no-enable-termination-protection" in prod.zappa("undeploy", "prod", "--yes", fails=True)
    prod.client("cloudformation").update_termination_protection(
        StackName="eventsite-prod", EnableTerminationProtection=False
    )
    prod.zappa("undeploy", "prod", "--yes")
    functions = prod.client("lambda").list_functions()["Functions"]
    assert "eventsite-prod" not in [function["FunctionName"] for function in functions]
    assert pool.cognito.list_users(UserPoolId=pool.id)["Users"]
    key = {"eventId": {"S": organizer.json()["eventId"]}, "item": {"S": "event"}}
    kept = {"TableName": "eventsite-prod-events", "Key": key}
    assert prod.client("dynamodb").get_item(**kept)["Item"]["title"] == {"S": EVENT["title"]}

    refused = prod.manage("prod", "remove_tables", answer="yes\n")
    assert refused.returncode == 1 and "Nothing was removed" in refused.stderr
    assert prod.client("dynamodb").get_item(**kept)["Item"]
    removed = prod.manage("prod", "remove_tables", answer="eventsite-prod-\n")
    assert removed.returncode == 0, removed.stderr
    assert not [name for name in prod.client("dynamodb").list_tables()["TableNames"] if "prod" in name]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
