"""Settings that Zappa and CloudFormation cannot make: log retention, throttling, tracing, the access log."""

import json
from dataclasses import dataclass
from typing import Any

THROTTLED = "*/*"  # every path and method of the stage

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
"""A line of the access log. It has no paths and addresses, because they identify people.

The service's line about the same request has the same `correlation_id`. If the caller sent one, it has that, and this
one as `gateway_request_id`.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html"""


def kept_for(logs: Any, name: str) -> int | None:
    """Return the retention of a log group in days: 0 for ever, None if there is no such group."""
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next((group.get("retentionInDays", 0) for group in found if group["logGroupName"] == name), None)


def keep_logs(logs: Any, name: str, *, days: int) -> bool:
    """Set the retention of a log group, and make the group if it is missing.

    The group of the function outlives the stack, so that the log of a removed stage can still be read.

    Returns:
        True if anything changed.
    """
    found = kept_for(logs, name)
    if found is None:
        logs.create_log_group(logGroupName=name)
    if found == days:
        return False
    logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    return True


def may_write_logs(gateway: Any) -> bool:
    """Return True if API Gateway has a role for logs in this account and region."""
    return bool(gateway.get_account().get("cloudwatchRoleArn"))


@dataclass(frozen=True)
class Gateway:
    """The settings of a stage of an API.

    `rate` (requests a second) and `burst` (requests at once) throttle all its methods together. `access_log` is the ARN
    of the log group that gets a line for each request, or None.
    """

    rate: float
    burst: int
    tracing: bool = True
    access_log: str | None = None

    def changes(self, found: dict[str, Any]) -> list[dict[str, str]]:
        """Return the patch operations that apply these settings to a stage.

        Args:
            found: The stage, as GetStage returns it.
        """
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


def set_up(gateway: Any, api: str, stage: str, wanted: Gateway) -> list[str]:
    """Apply settings to a stage of an API.

    Returns:
        The paths of the settings that changed.
    """
    operations = wanted.changes(gateway.get_stage(restApiId=api, stageName=stage))
    if operations:
        gateway.update_stage(restApiId=api, stageName=stage, patchOperations=operations)
    return [operation["path"] for operation in operations]


def _replace(path: str, value: object) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": str(value)}
