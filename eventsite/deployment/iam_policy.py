"""What the Lambda may do: exactly what it does, on exactly what is its own."""

import json
from collections.abc import Iterable
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


@dataclass(frozen=True)
class Account:
    """The account and region that the stage's resources are in."""

    partition: str
    region: str
    number: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in it."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.number}:{resource}"


def document(account: Account, *, function: str, tables: Iterable[str]) -> str:
    """The permissions of the Lambda's role, as JSON.

    Takes: where; the function's name; its tables' names.
    """
    tables = [account.arn("dynamodb", f"table/{name}") for name in tables]
    log_group = account.arn("logs", f"log-group:/aws/lambda/{function}")
    statements = [
        _allow("Tables", [f"dynamodb:{action}" for action in TABLE_ACTIONS], tables),
        _allow("Indexes", [f"dynamodb:{action}" for action in INDEX_ACTIONS], [f"{table}/index/*" for table in tables]),
        _allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group}:*"]),
        # X-Ray's write actions know no resources.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        _allow("Tracing", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"]),
        # Zappa has API Gateway call the function in the name of this role.
        _allow("Gateway", ["lambda:InvokeFunction"], [account.arn("lambda", f"function:{function}")]),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(name: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources}
