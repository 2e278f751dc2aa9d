"""What the Lambda may do: exactly what it does, on exactly what is its own."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

TABLE_ACTIONS = (
    "BatchGetItem",
    "ConditionCheckItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",  # the list of users, and the audit
    "UpdateItem",
)
"""Transactions need no action of their own: each part is authorized as what it does.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html"""
INDEX_ACTIONS = ("Query",)
STREAM_ACTIONS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
"""https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html"""
QUEUE_ACTIONS = ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage", "SendMessage")
MAIL_ACTIONS = ("SendEmail", "SendRawEmail")
"""SendRawEmail is asked for when a mail with an attachment is sent.
https://docs.aws.amazon.com/ses/latest/dg/control-user-access.html"""


@dataclass(frozen=True)
class Account:
    """The account and region that the stage's resources are in."""

    partition: str
    region: str
    number: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in it."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.number}:{resource}"


@dataclass(frozen=True)
class Telling:
    """What a stage tells notices by: the names of its own things, None for what it does not use."""

    table: str
    """The table whose stream is read."""
    notices: str
    dead_letters: str
    bus: str | None = None
    """The name or the ARN of a bus."""
    sender: str | None = None
    """The address that mails are from."""


def document(
    account: Account,
    *,
    function: str,
    tables: Iterable[str],
    telling: Telling | None = None,
    qualifier: str | None = None,
) -> str:
    """The permissions of the Lambda's role, as JSON.

    Takes: where; the function's name; its tables' names; what it tells notices by; the alias that the API calls.
    """
    tables = [account.arn("dynamodb", f"table/{name}") for name in tables]
    called = f"function:{function}:{qualifier}" if qualifier else f"function:{function}"
    log_group = account.arn("logs", f"log-group:/aws/lambda/{function}")
    statements = [
        _allow("Tables", [f"dynamodb:{action}" for action in TABLE_ACTIONS], tables),
        _allow("Indexes", [f"dynamodb:{action}" for action in INDEX_ACTIONS], [f"{table}/index/*" for table in tables]),
        _allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group}:*"]),
        # X-Ray's write actions know no resources.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        _allow("Tracing", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"]),
        # Zappa has API Gateway call the function in the name of this role.
        _allow("Gateway", ["lambda:InvokeFunction"], [account.arn("lambda", called)]),
        *(_telling(account, telling) if telling else []),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _telling(account: Account, told: Telling) -> Iterator[dict[str, Any]]:
    """What it takes to tell notices; webhooks take nothing but the queues."""
    stream = account.arn("dynamodb", f"table/{told.table}/stream/*")
    yield _allow("Stream", [f"dynamodb:{action}" for action in STREAM_ACTIONS], [stream])
    yield _allow("Notices", [f"sqs:{action}" for action in QUEUE_ACTIONS], [account.arn("sqs", told.notices)])
    yield _allow("DeadLetters", ["sqs:SendMessage"], [account.arn("sqs", told.dead_letters)])
    if told.bus:
        bus = told.bus if told.bus.startswith("arn:") else account.arn("events", f"event-bus/{told.bus}")
        yield _allow("Bus", ["events:PutEvents"], [bus])
    if told.sender:
        # An identity may have a set that counts for all its mails; the address bounds both.
        names = [*(f"identity/{identity}" for identity in _identities(told.sender)), "configuration-set/*"]
        mail = _allow(
            "Mail", [f"ses:{action}" for action in MAIL_ACTIONS], [account.arn("ses", name) for name in names]
        )
        yield mail | {"Condition": {"StringEquals": {"ses:FromAddress": told.sender}}}


def _identities(address: str) -> list[str]:
    """What may be verified so that mails from an address can be sent: itself, its domain, and those above it.

    https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    """
    labels = address.rpartition("@")[2].split(".")
    return [address, *(".".join(labels[above:]) for above in range(max(1, len(labels) - 1)))]


def _allow(name: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources}
