"""A seat is given up over HTTP: mail, bus and webhook report who moves up, on an emulated AWS.

Two things are the emulator's. When it judges permissions, it knows no mail's sender, and takes batches for an action of
their own. And it knows no Internet, so the webhook that was chosen is put on this machine once it is deployed, which
only a service accepts whose data is on this machine too.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.api import EVENT
from tests.eventsite.deployment.zappa_project import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("told")]

STAGE, FUNCTION, TABLE = "told", "eventsite-told", "eventsite-told-events"
SENDER, ADDRESS = "events@example.org", "bob@example.com"
SECRET = secrets.token_bytes(32)
OUTLETS = {
    "NOTICE_BUS": "happenings",
    "MAIL_FROM": SENDER,
    "WEBHOOKS": "https://hooks.example.org/eventsite",
    "WEBHOOK_SECRET": f"whsec_{base64.b64encode(SECRET).decode()}",
}
TOLD = [
    "event.created",
    "registration.registered",
    "registration.waitlisted",
    "registration.cancelled",
    "registration.promoted",
]
SECONDS, PATIENCE_SECONDS, LOOK_SECONDS = 120, 180, 0.2


class Receiver:
    """A webhook on this machine."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        posts = self.posts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/eventsite"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def notices(self) -> list[Any]:
        return [json.loads(body) for _, body in self.posts]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    webhook = Receiver()
    yield webhook
    webhook.server.shutdown()
    webhook.server.server_close()


@pytest.fixture(scope="module")
def told(project: Project, receiver: Receiver) -> Project:
    """The stage `told`, deployed with every outlet."""
    listen(project)
    project.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    project.choose(STAGE, **OUTLETS)
    printed = project.zappa("deploy", STAGE)
    assert "Made Following (Lambda::EventSourceMapping)." in printed
    stand_in_for_the_world(project, receiver)
    return project


def listen(project: Project) -> None:
    """Make a bus, and a queue that receives its events."""
    queue = project.client("sqs").create_queue(QueueName="heard")["QueueUrl"]
    arn = project.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    events = project.client("events")
    events.create_event_bus(Name="happenings")
    pattern = json.dumps({"source": ["eventsite"]})
    events.put_rule(Name="all", EventBusName="happenings", EventPattern=pattern)
    events.put_targets(Rule="all", EventBusName="happenings", Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])


def stand_in_for_the_world(project: Project, receiver: Receiver) -> None:
    """Allow what the emulator wants allowed besides, and put the webhook on this machine."""
    role = configuration(project)["Role"].rpartition("/")[2]
    actions = ["ses:SendEmail", "ses:SendRawEmail", "sqs:SendMessageBatch"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    project.client("iam").put_role_policy(RoleName=role, PolicyName="emulated", PolicyDocument=document)
    project.set_variables(STAGE, WEBHOOKS=receiver.url)


def configuration(project: Project) -> Any:
    return project.client("lambda").get_function_configuration(FunctionName=FUNCTION)


def eventually(look: Callable[[], Any]) -> Any:
    """Return the first thing that a look finds. It is repeated, as nothing signals that a notice arrived."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(LOOK_SECONDS)
    raise AssertionError("nothing came")


def call(project: Project, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, project.url(STAGE) + path, json=body, timeout=SECONDS)
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def party(told: Project) -> str:
    """An event that alice has left, so that bob moved up."""
    event: str = call(told, "POST", "/events", EVENT | {"title": "Summer party", "capacity": 1})["eventId"]
    for user in ("alice", "bob"):
        call(told, "POST", "/users", {"userId": user, "name": user.title(), "email": f"{user}@example.com"})
        call(told, "POST", f"/events/{event}/registrations", {"userId": user})
    call(told, "DELETE", f"/events/{event}/registrations/alice")
    return event


def test_who_moves_up_is_mailed(told: Project, party: str) -> None:
    def mails() -> list[Any]:
        kept = requests.get(f"{told.endpoint}/_ministack/ses/messages", timeout=SECONDS).json()["messages"]
        return [mail for of_account in kept.values() for mail in of_account if SENDER in mail["Source"]]

    (mail,) = eventually(mails)
    assert mail["To"] == [ADDRESS]
    assert "Summer party" in mail["Subject"] + mail["BodyText"]


def test_all_that_happened_is_on_the_bus_in_order(told: Project, party: str) -> None:
    heard: list[Any] = []

    def all_of_it() -> bool:
        sqs = told.client("sqs")
        queue = sqs.get_queue_url(QueueName="heard")["QueueUrl"]
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            heard.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(heard) >= len(TOLD)

    eventually(all_of_it)
    notices = sorted((each["detail"] for each in heard), key=lambda notice: notice["sequence"])
    assert [notice["type"] for notice in notices] == TOLD
    assert {notice["source"] for notice in notices} == {f"/events/{party}"}
    assert {notice["specversion"] for notice in notices} == {"1.0"}
    assert (notices[-1]["subject"], notices[-1]["data"]["status"]) == ("bob", "registered")


def test_the_webhook_gets_it_signed(told: Project, party: str, receiver: Receiver) -> None:
    eventually(lambda: len(receiver.posts) >= len(TOLD))
    assert sorted({notice["type"] for notice in receiver.notices}) == sorted(TOLD)
    for headers, body in receiver.posts:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"


def dead_letters(project: Project) -> list[Any]:
    """Return the letters of the dead-letter queue, which stay there."""
    sqs = project.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{FUNCTION}-dead-letters")["QueueUrl"]
    taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [json.loads(message["Body"]) for message in taken.get("Messages", [])]


def test_a_notice_that_cannot_be_made_is_dead_lettered_and_the_rest_goes_on(
    told: Project, party: str, receiver: Receiver
) -> None:
    nonsense = {"eventId": {"S": "nonsense"}, "item": {"S": "event"}, "version": {"S": "many"}}
    told.client("dynamodb").put_item(TableName=TABLE, Item=nonsense)
    call(told, "PATCH", f"/events/{party}", {"location": "Roof"})
    eventually(lambda: [notice for notice in receiver.notices if notice["type"] == "event.changed"])
    (letter,) = eventually(lambda: dead_letters(told))
    assert letter["record"]["dynamodb"]["Keys"]["eventId"] == {"S": "nonsense"}
    assert "INSERT of nonsense event" in told.manage(STAGE, "dead_letters", STAGE).stdout
    assert "1 dropped." in told.manage(STAGE, "dead_letters", STAGE, "--drop").stdout
    told.client("dynamodb").delete_item(TableName=TABLE, Key={name: nonsense[name] for name in ("eventId", "item")})


def test_a_dead_letter_raises_the_alarm(told: Project) -> None:
    cloudwatch = told.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[f"{FUNCTION}-dead-letters"])["MetricAlarms"]
    measured = {"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": 1.0}
    # SQS would count; the emulated one does not
    cloudwatch.put_metric_data(Namespace=alarm["Namespace"], MetricData=[measured])
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"


def left(project: Project) -> list[str]:
    """What there is on AWS that carries notices."""
    sqs, cloudwatch = project.client("sqs"), project.client("cloudwatch")
    mappings = project.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    table = project.client("dynamodb").describe_table(TableName=TABLE)["Table"]
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix=FUNCTION)["MetricAlarms"]
    return [
        *sqs.list_queues(QueueNamePrefix=FUNCTION).get("QueueUrls", []),
        *[mapping["EventSourceArn"] for mapping in mappings if FUNCTION in mapping["FunctionArn"]],
        *[alarm["AlarmName"] for alarm in alarms if alarm["Namespace"] == "AWS/SQS"],
        *(["stream"] if (table.get("StreamSpecification") or {}).get("StreamEnabled") else []),
    ]


def test_taking_the_stage_down_leaves_nothing_but_the_tables(told: Project, party: str) -> None:
    assert len(left(told)) == 6
    told.choose(STAGE)
    planned = told.manage(STAGE, "plan", STAGE).stdout
    assert re.search(r"^remove +stack: MailReports \(", planned, re.M)
    assert re.search(r"^change +stack: NoticesPolicy \(", planned, re.M)

    assert f"Turned off the stream of table {TABLE}." in told.zappa("undeploy", STAGE, "--yes")
    assert left(told) == []
    functions = told.client("lambda").list_functions()["Functions"]
    assert FUNCTION not in [function["FunctionName"] for function in functions]
    with pytest.raises(ClientError, match="does not exist"):
        told.client("cloudformation").describe_stacks(StackName=FUNCTION)
    roles = told.client("iam").list_roles()["Roles"]
    assert not [each["RoleName"] for each in roles if FUNCTION in each["RoleName"]]
    assert TABLE in told.client("dynamodb").list_tables()["TableNames"]
