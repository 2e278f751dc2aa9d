"""What Zappa has no setting for: log retention, throttling, tracing at the gateway. What is right is left alone."""

from typing import Any

THROTTLED = "*/*"
"""Every path and method of the stage."""


def keep_logs(logs: Any, function: str, *, days: int) -> bool:
    """Keep the function's logs for so long. Takes a CloudWatch Logs client. Returns: whether anything was changed."""
    name = f"/aws/lambda/{function}"
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


def _replace(path: str, value: object) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": str(value)}
