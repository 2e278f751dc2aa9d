"""What Zappa has no setting for, on an emulated AWS; a second time nothing is changed."""

from typing import Any

import boto3
import pytest

from eventsite.deployment import aws_extras


@pytest.fixture
def aws(engine: str) -> Any:
    """A maker of clients of the suite's engine, which is more than a DynamoDB."""

    def client(service: str) -> Any:
        session = boto3.Session("test", "test", region_name="eu-west-1")
        return session.client(service, endpoint_url=engine)

    return client


def test_logs_are_kept_for_so_many_days(aws: Any) -> None:
    logs = aws("logs")
    assert aws_extras.keep_logs(logs, "eventsite-dev", days=14)
    assert not aws_extras.keep_logs(logs, "eventsite-dev", days=14)
    assert aws_extras.keep_logs(logs, "eventsite-dev", days=90)
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/eventsite-dev")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [90]


def test_a_group_of_a_longer_name_is_not_taken_for_it(aws: Any) -> None:
    aws("logs").create_log_group(logGroupName="/aws/lambda/eventsite-qa-other")
    assert aws_extras.keep_logs(aws("logs"), "eventsite-qa", days=14)


def test_all_methods_of_the_stage_are_throttled_and_traced(aws: Any) -> None:
    gateway = aws("apigateway")
    api = gateway.create_rest_api(name="eventsite-dev")["id"]
    gateway.create_deployment(restApiId=api, stageName="dev")
    wanted: dict[str, Any] = {"rate": 100, "burst": 200, "tracing": True}
    assert len(aws_extras.set_up_gateway(gateway, api, "dev", **wanted)) == 3
    assert aws_extras.set_up_gateway(gateway, api, "dev", **wanted) == []
    assert aws_extras.set_up_gateway(gateway, api, "dev", **(wanted | {"burst": 50})) == ["/*/*/throttling/burstLimit"]
    methods = gateway.get_stage(restApiId=api, stageName="dev")["methodSettings"]["*/*"]
    assert (methods["throttlingRateLimit"], methods["throttlingBurstLimit"]) == (100, 50)
