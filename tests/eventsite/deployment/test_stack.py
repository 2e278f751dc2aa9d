"""A stack that is previewed, applied, rolled back and protected, on an emulated AWS."""

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from botocore.exceptions import WaiterError
from click import ClickException

from eventsite.deployment.stack import PATIENCE, Change, Stack

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stack-test", "DelaySeconds": {"Ref": "Delay"}}}
REFUSED = {"Type": "AWS::Cognito::UserPoolGroup", "Properties": {"UserPoolId": "eu-west-1_Nowhere", "GroupName": "a"}}
SHORT, LONG = {"Delay": "1"}, {"Delay": "2"}


def template(**resources: Any) -> str:
    outputs = {"Url": {"Value": {"Ref": "Notices"}}} if "Notices" in resources else {}
    return json.dumps({"Parameters": {"Delay": {"Type": "Number"}}, "Resources": resources, "Outputs": outputs})


GOOD, BAD = template(Notices=QUEUE), template(Notices=QUEUE, Group=REFUSED)


@pytest.fixture
def stack(aws: Any) -> Iterator[Stack]:
    made = Stack(aws("cloudformation"), "stack-test", {"service": "eventsite"})
    yield made
    if made.refuses_deletion():
        made.client.update_termination_protection(StackName=made.name, EnableTerminationProtection=False)
    made.client.delete_stack(StackName=made.name)
    made.client.get_waiter("stack_delete_complete").wait(StackName=made.name, WaiterConfig=PATIENCE)


def delay(aws: Any) -> str:
    url = aws("sqs").get_queue_url(QueueName="stack-test")["QueueUrl"]
    return str(aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["DelaySeconds"])


def test_a_preview_shows_what_would_be_made_and_leaves_nothing(stack: Stack, aws: Any) -> None:
    assert stack.preview(GOOD, SHORT) == [Change("Add", "Notices (SQS::Queue)")]
    previewed = stack.client.list_stacks(StackStatusFilter=["REVIEW_IN_PROGRESS"])["StackSummaries"]
    assert stack.name not in {each["StackName"] for each in previewed}
    assert not aws("sqs").list_queues(QueueNamePrefix="stack-test").get("QueueUrls")


def test_applying_it_again_changes_nothing(stack: Stack) -> None:
    assert [change.name for change in stack.apply(GOOD, SHORT)] == ["Notices (SQS::Queue)"]
    assert (stack.apply(GOOD, SHORT), stack.preview(GOOD, SHORT)) == ([], [])
    assert stack.outputs()["Url"].endswith("/stack-test")
    assert stack.parameters() == SHORT


def test_a_preview_of_a_change_changes_nothing(stack: Stack, aws: Any) -> None:
    stack.apply(GOOD, SHORT)
    assert [change.action for change in stack.preview(GOOD, LONG)] == ["Modify"]
    assert (delay(aws), stack.client.list_change_sets(StackName=stack.name)["Summaries"]) == ("1", [])
    stack.apply(GOOD, LONG)
    assert delay(aws) == "2"


def test_what_replaces_a_resource_is_seen(stack: Stack) -> None:
    stack.apply(GOOD, SHORT)
    renamed = template(Notices={**QUEUE, "Properties": {"QueueName": "stack-test-renamed"}})
    assert [change.replaces for change in stack.preview(renamed, SHORT)] == [True]


def test_a_failed_update_is_rolled_back_and_names_the_resource(stack: Stack, aws: Any) -> None:
    stack.apply(GOOD, SHORT)
    with pytest.raises(ClickException, match=r"Group \(Cognito::UserPoolGroup\) failed: .+ was rolled back\."):
        stack.apply(BAD, LONG)
    assert delay(aws) == "1"
    assert stack.apply(GOOD, SHORT) == []


def test_a_failure_for_want_of_a_role_for_the_access_log_names_what_to_do() -> None:
    client, failed = MagicMock(), {"ResourceStatusReason": "CloudWatch Logs role ARN must be set in account settings"}
    failed |= {"LogicalResourceId": "ApiStage", "ResourceType": "AWS::ApiGateway::Stage"}

    def execute(*, ClientRequestToken: str, **_: Any) -> None:  # noqa: N803 (boto3's name)
        failed.update(ClientRequestToken=ClientRequestToken, ResourceStatus="UPDATE_FAILED")

    change = {"Action": "Add", "LogicalResourceId": "ApiStage", "ResourceType": "AWS::ApiGateway::Stage"}
    pages: dict[str, Any] = {"describe_change_set": {"Changes": [{"ResourceChange": change}]}}
    pages["describe_stack_events"] = {"StackEvents": [failed]}
    client.describe_stacks.return_value = {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}
    client.execute_change_set = execute
    client.get_paginator = lambda name: Mock(paginate=lambda **_: [pages[name]])
    client.get_waiter("stack_update_complete").wait.side_effect = [None, WaiterError("done", "failed", {})]
    client.exceptions.ChangeSetNotFoundException = KeyError
    with pytest.raises(ClickException, match=r'account settings\. See "An access log" in docs/deployment\.md\. Stack'):
        Stack(client, "eventsite-dev").apply(GOOD, SHORT)


def test_a_failed_first_deployment_leaves_nothing_and_can_be_repeated(stack: Stack, aws: Any) -> None:
    with pytest.raises(ClickException, match="Group"):
        stack.apply(BAD, SHORT)
    assert stack.describe() == {}
    assert not aws("sqs").list_queues(QueueNamePrefix="stack-test").get("QueueUrls")
    assert stack.apply(GOOD, SHORT)


def test_a_refused_template_is_a_sentence(stack: Stack) -> None:
    stack.apply(GOOD, SHORT)
    with pytest.raises(Exception, match="Unrecognized resource types"):
        stack.apply(template(Nothing={"Type": "AWS::Nothing::AtAll"}), SHORT)


def test_a_protected_stack_refuses_to_be_deleted(stack: Stack) -> None:
    stack.protected = True
    stack.apply(GOOD, SHORT)
    assert stack.refuses_deletion()
    with pytest.raises(Exception, match="TerminationProtection"):
        stack.client.delete_stack(StackName=stack.name)
