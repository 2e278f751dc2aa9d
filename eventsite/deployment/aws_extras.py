"""What Zappa has no setting for: logs and how long they are kept, throttling, tracing at the gateway.

What is right is left alone.
"""

import json
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


def keep_logs(logs: Any, name: str, *, days: int) -> bool:
    """Keep the lines of a log group for so long, and make it if it is missing.

    Takes: a CloudWatch Logs client. Returns: whether anything was changed.
    """
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group = next((group for group in found if group["logGroupName"] == name), None)
    if group is None:
        logs.create_log_group(logGroupName=name)
    if group and group.get("retentionInDays") == days:
        return False
    logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    return True


def set_up_gateway(gateway: Any, api: str, stage: str, *, rate: float, burst: int, tracing: bool) -> list[str]:
    """Throttle all methods of a stage together, and trace its requests.

    Takes: an API Gateway client; the API and its stage; requests a second, and how many may come at once.
    Returns: the paths of the settings that were changed.
    """
    found = gateway.get_stage(restApiId=api, stageName=stage)
    methods = found.get("methodSettings", {}).get(THROTTLED, {})
    operations = []
    if methods.get("throttlingRateLimit") != rate:
        operations.append(_replace(f"/{THROTTLED}/throttling/rateLimit", rate))
    if methods.get("throttlingBurstLimit") != burst:
        operations.append(_replace(f"/{THROTTLED}/throttling/burstLimit", burst))
    if found.get("tracingEnabled", False) != tracing:
        operations.append(_replace("/tracingEnabled", str(tracing).lower()))
    if operations:
        gateway.update_stage(restApiId=api, stageName=stage, patchOperations=operations)
    return [operation["path"] for operation in operations]


def may_write_logs(gateway: Any) -> bool:
    """Whether API Gateway has a role in this account and region in whose name it writes logs."""
    return bool(gateway.get_account().get("cloudwatchRoleArn"))


def set_up_access_log(gateway: Any, api: str, stage: str, *, group: str | None) -> list[str]:
    """Have API Gateway write a line about each request of a stage, or none.

    Takes: an API Gateway client; the API and its stage; the ARN of the log group, or None for no log.
    Returns: the paths of the settings that were changed.
    """
    found = gateway.get_stage(restApiId=api, stageName=stage).get("accessLogSettings") or {}
    wanted = {"destinationArn": group, "format": ACCESS_LOG_LINE} if group else {}
    if found == wanted:
        return []
    operations = [_replace(f"/accessLogSettings/{name}", value) for name, value in wanted.items()]
    operations = operations or [{"op": "remove", "path": "/accessLogSettings"}]
    gateway.update_stage(restApiId=api, stageName=stage, patchOperations=operations)
    return [operation["path"] for operation in operations]


def _replace(path: str, value: object) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": str(value)}
