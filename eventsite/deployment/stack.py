"""The CloudFormation stack of a stage, previewed and applied by change sets."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

from botocore.exceptions import ClientError, WaiterError
from click import ClickException

from eventsite.deployment.stage_file import Choices

PATIENCE = {"Delay": 1, "MaxAttempts": 1800}  # seconds, polls; a user pool's domain and a dashboard take minutes
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
NO_LOG_ROLE = "CloudWatch Logs role ARN must be set"  # API Gateway's words

Description = dict[str, Any]


class Change(NamedTuple):
    """A change of one resource in a change set, such as `Add` and `Notices (SQS::Queue)`."""

    action: str
    name: str
    replaces: bool = False


@dataclass
class Stack:
    client: Any
    name: str
    tags: dict[str, str] = field(default_factory=dict)
    protected: bool = False

    def describe(self) -> Description:
        """Return the stack as DescribeStacks does, or an empty dictionary if there is none, or only a preview of it."""
        try:
            found: Description = self.client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return {}
            raise
        return {} if found["StackStatus"] == "REVIEW_IN_PROGRESS" else found

    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.describe().get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        return {each["ParameterKey"]: each["ParameterValue"] for each in self.describe().get("Parameters", [])}

    def refuses_deletion(self) -> bool:
        return bool(self.describe().get("EnableTerminationProtection"))

    def preview(self, template: str, parameters: dict[str, str]) -> list[Change]:
        """Return the changes that `apply` would make."""
        with self._change_set(template, parameters) as (_, changes):
            return changes

    def apply(self, template: str, parameters: dict[str, str]) -> list[Change]:
        """Create or update the stack, and return the changes. Refused ones are rolled back, and a ClickException."""
        waiter = self.client.get_waiter("stack_update_complete" if self.describe() else "stack_create_complete")
        with self._change_set(template, parameters) as (made, changes):
            if changes:
                token = uuid4().hex
                self.client.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken=token)
                try:
                    waiter.wait(StackName=made["StackId"], WaiterConfig=PATIENCE)
                except WaiterError as error:
                    reason = self._reason(made["StackId"], token)
                    raise ClickException(f"{reason} Stack {self.name} was rolled back.") from error
        if self.refuses_deletion() != self.protected:
            self.client.update_termination_protection(StackName=self.name, EnableTerminationProtection=self.protected)
        return changes

    @contextmanager
    def _change_set(self, template: str, parameters: dict[str, str]) -> Iterator[tuple[Description, list[Change]]]:
        """Make a change set, and delete it at the end, with the empty stack that a new one makes."""
        is_new = not self.describe()
        made = self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"eventsite-{uuid4().hex}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateBody=template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": key, "Value": value} for key, value in self.tags.items()],
            **({"OnStackFailure": "DELETE"} if is_new else {}),
        )
        try:
            yield made, self._changes(made["Id"])
        finally:
            if self.describe():
                with suppress(self.client.exceptions.ChangeSetNotFoundException):  # an executed one is deleted
                    self.client.delete_change_set(ChangeSetName=made["Id"])
            else:
                self.client.delete_stack(StackName=made["StackId"])
                self.client.get_waiter("stack_delete_complete").wait(StackName=made["StackId"], WaiterConfig=PATIENCE)

    def _changes(self, change_set: str) -> list[Change]:
        try:
            self.client.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set, WaiterConfig=PATIENCE)
        except WaiterError as error:
            reason = error.last_response.get("StatusReason", str(error))
            if any(words in reason for words in NO_CHANGES):
                return []
            raise ClickException(f"CloudFormation refused the template of {self.name}: {reason}") from error
        pages = self.client.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
        found = [each["ResourceChange"] for page in pages for each in page["Changes"]]
        return [Change(each["Action"], _named(each), each.get("Replacement") == "True") for each in found]

    def _reason(self, stack: str, token: str) -> str:
        """Return the first failure of the operation with this token, in a sentence."""
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=stack)
        failures = [
            f"{_named(event)} failed: {reason.rstrip('.')}."
            for page in pages
            for event in page["StackEvents"]  # the newest first
            if event.get("ClientRequestToken") == token and event["ResourceStatus"].endswith("_FAILED")
            if "cancelled" not in (reason := event.get("ResourceStatusReason", ""))
        ]
        first = failures[-1] if failures else "CloudFormation gives no reason."
        return first + (' See "An access log" in docs/deployment.md.' if NO_LOG_ROLE in first else "")


def outputs_of(chosen: Choices) -> dict[str, str]:
    """Return the outputs of a stage's stack, for commands that need no Zappa."""
    return Stack(chosen.session().client("cloudformation"), chosen.name).outputs()


def _named(resource: Description) -> str:
    return f"{resource['LogicalResourceId']} ({resource['ResourceType'].removeprefix('AWS::')})"
