"""What Zappa has no setting for: logs and how long they are kept, throttling, tracing at the gateway.

What is right is left alone.
"""

import json
from dataclasses import dataclass
from typing import Any

THROTTLED = "*/*"
"""Every path and method of the stage."""

ACCESS_LOG_LINE = json.dumps(
    {
        "correlation_id": "$context.requestId",
        "api_request_id": "$context.extendedRequestId",
        "time": "$context.requestTime",
        "method": "$context.httpMethod",
        "status": "$context.status",
        "lambda_status": "$context.integration.status",
        "latency_ms": "$context.responseLatency",
        "lambda_latency_ms": "$context.integrationLatency",
        "bytes": "$context.responseLength",
        "error": "$context.error.responseType",
        "xray_trace_id": "$context.xrayTraceId",
    },
    separators=(",", ":"),
)
"""A line of the access log. Like the service's own, it has neither paths nor addresses, which are about people.

The service's line about the same request has the same `correlation_id`; or, when the caller sent one, the caller's, and
this one as `gateway_request_id`.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html"""


def access_log_group(function: str) -> str:
    """The name of the log group for the access log of the function's API."""
    return f"/aws/apigateway/{function}"


def log_groups(function: str, *, access_log: bool) -> list[str]:
    """The names of the function's log groups. That of its own lines is Lambda's to name."""
    return [f"/aws/lambda/{function}", *([access_log_group(function)] if access_log else [])]


def kept_for(logs: Any, name: str) -> int | None:
    """For how many days the lines of a log group are kept; 0 for ever, None where there is no such group."""
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next((group.get("retentionInDays", 0) for group in found if group["logGroupName"] == name), None)


def keep_logs(logs: Any, name: str, *, days: int) -> bool:
    """Keep the lines of a log group for so long, and make it if it is missing.

    Takes: a CloudWatch Logs client. Returns: whether anything was changed.
    """
    found = kept_for(logs, name)
    if found is None:
        logs.create_log_group(logGroupName=name)
    if found == days:
        return False
    logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    return True


def may_write_logs(gateway: Any) -> bool:
    """Whether API Gateway has a role in this account and region in whose name it writes logs."""
    return bool(gateway.get_account().get("cloudwatchRoleArn"))


def has_bus(events: Any, name: str) -> bool:
    """Whether there is a bus of this name in this account and region."""
    try:
        events.describe_event_bus(Name=name)
    except events.exceptions.ResourceNotFoundException:
        return False
    return True


@dataclass(frozen=True)
class Gateway:
    """What a stage of an API shall be like.

    All its methods together are throttled to `rate` requests a second, and `burst` at once; `access_log` is the ARN of
    the log group that gets a line for each request, or None.
    """

    rate: float
    burst: int
    tracing: bool = True
    access_log: str | None = None

    def changes(self, found: dict[str, Any]) -> list[dict[str, str]]:
        """The patch operations that make a stage like this. Takes: the stage as GetStage tells it."""
        methods = found.get("methodSettings", {}).get(THROTTLED, {})
        operations = []
        if methods.get("throttlingRateLimit") != self.rate:
            operations.append(_replace(f"/{THROTTLED}/throttling/rateLimit", self.rate))
        if methods.get("throttlingBurstLimit") != self.burst:
            operations.append(_replace(f"/{THROTTLED}/throttling/burstLimit", self.burst))
        if found.get("tracingEnabled", False) != self.tracing:
            operations.append(_replace("/tracingEnabled", str(self.tracing).lower()))
        return operations + self._access_log_changes(found.get("accessLogSettings") or {})

    def _access_log_changes(self, found: dict[str, str]) -> list[dict[str, str]]:
        wanted = {"destinationArn": self.access_log, "format": ACCESS_LOG_LINE} if self.access_log else {}
        if found and not wanted:
            return [{"op": "remove", "path": "/accessLogSettings"}]
        return [
            _replace(f"/accessLogSettings/{name}", value) for name, value in wanted.items() if found.get(name) != value
        ]


def api_id(gateway: Any, name: str) -> str | None:
    """The id of the API of this name; None where there is none."""
    pages = gateway.get_paginator("get_rest_apis").paginate()
    return next((api["id"] for page in pages for api in page["items"] if api["name"] == name), None)


def address(api: str, region: str, stage: str) -> str:
    """The address that API Gateway gives a stage of an API.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
    """
    return f"https://{api}.execute-api.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}/{stage}"


def set_up_gateway(gateway: Any, api: str, stage: str, wanted: Gateway) -> list[str]:
    """Make a stage of an API as it is wanted.

    Takes: an API Gateway client; the API and its stage.
    Returns: the paths of the settings that were changed.
    """
    operations = wanted.changes(gateway.get_stage(restApiId=api, stageName=stage))
    if operations:
        gateway.update_stage(restApiId=api, stageName=stage, patchOperations=operations)
    return [operation["path"] for operation in operations]


def _replace(path: str, value: object) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": str(value)}
