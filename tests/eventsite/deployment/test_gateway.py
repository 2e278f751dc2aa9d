"""What Zappa and the stack leave open, set on an emulated AWS."""

import json
import re
from typing import Any

import boto3
import pytest

from eventsite.deployment import gateway as settings
from eventsite.deployment.gateway import Gateway


@pytest.fixture
def aws(engine: str) -> Any:
    """A maker of clients of the suite's engine, which is more than a DynamoDB."""

    def client(service: str) -> Any:
        session: Any = boto3.Session("test", "test", region_name="eu-west-1")
        return session.client(service, endpoint_url=engine)

    return client


def test_logs_are_kept_for_some_days(aws: Any) -> None:
    logs = aws("logs")
    assert settings.keep_logs(logs, "/aws/lambda/eventsite-dev", days=14)
    assert not settings.keep_logs(logs, "/aws/lambda/eventsite-dev", days=14)
    assert settings.keep_logs(logs, "/aws/lambda/eventsite-dev", days=90)
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/eventsite-dev")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [90]


def test_a_group_of_a_longer_name_is_not_taken_for_it(aws: Any) -> None:
    aws("logs").create_log_group(logGroupName="/aws/lambda/eventsite-qa-other")
    assert settings.keep_logs(aws("logs"), "/aws/lambda/eventsite-qa", days=14)


def test_a_line_of_the_access_log_is_json_with_the_id_that_the_service_logs_too() -> None:
    line = json.loads(settings.ACCESS_LOG_LINE)
    assert line["correlation_id"] == "$context.requestId"
    assert not re.search(r"(?i)path|sourceIp|identity|authorizer|userAgent", settings.ACCESS_LOG_LINE)


@pytest.fixture
def stage(aws: Any) -> tuple[Any, str, str]:
    """A client of API Gateway, an API and its stage."""
    gateway = aws("apigateway")
    api = gateway.create_rest_api(name="eventsite-dev")["id"]
    gateway.create_deployment(restApiId=api, stageName="dev")
    return gateway, api, "dev"


def test_the_access_log_is_switched_on_and_off(stage: tuple[Any, str, str]) -> None:
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/apigateway/eventsite-dev"
    silent, written = Gateway(100, 200), Gateway(100, 200, access_log=group)
    settings.set_up(*stage, silent)
    assert len(settings.set_up(*stage, written)) == 2
    assert settings.set_up(*stage, written) == []
    assert kept(stage)["accessLogSettings"] == {"destinationArn": group, "format": settings.ACCESS_LOG_LINE}
    assert settings.set_up(*stage, silent) == ["/accessLogSettings"]
    assert not kept(stage).get("accessLogSettings")


def kept(stage: tuple[Any, str, str]) -> Any:
    gateway, api, name = stage
    return gateway.get_stage(restApiId=api, stageName=name)


def test_api_gateway_has_to_be_allowed_to_write_logs(aws: Any) -> None:
    gateway = aws("apigateway")
    assert not settings.may_write_logs(gateway)
    role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::123456789012:role/gateway-logs"}
    gateway.update_account(patchOperations=[role])
    assert settings.may_write_logs(gateway)


def test_all_methods_of_the_stage_are_throttled_and_traced(stage: tuple[Any, str, str]) -> None:
    assert len(settings.set_up(*stage, Gateway(100, 200))) == 3
    assert settings.set_up(*stage, Gateway(100, 200)) == []
    assert settings.set_up(*stage, Gateway(100, 50)) == ["/*/*/throttling/burstLimit"]
    methods = kept(stage)["methodSettings"]["*/*"]
    assert (methods["throttlingRateLimit"], methods["throttlingBurstLimit"]) == (100, 50)
