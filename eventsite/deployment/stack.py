"""The CloudFormation stack of a stage, previewed and applied by change sets."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

from botocore.exceptions import ClientError

from eventsite.deployment.stage_file import Choices

FIRST_WAIT, LONGEST_WAIT = 0.1, 3.0  # seconds between two polls of a running operation
PATIENCE_SECONDS = 1800.0  # seconds; a user pool's domain and a dashboard take minutes
UNUSABLE = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")

Description = dict[str, Any]


class StackFailed(Exception):
    """CloudFormation refused a change. The text has the resource and the reason."""


class Change(NamedTuple):
    """A change of one resource in a change set."""

    action: str
    """Add, Modify or Remove."""
    resource: str
    kind: str
    replaces: bool = False

    @property
    def name(self) -> str:
        """Return the resource with its type, such as `Notices (SQS::Queue)`."""
        return f"{self.resource} ({self.kind.removeprefix('AWS::')})"


@dataclass
class Stack:
    client: Any
    name: str
    tags: dict[str, str] = field(default_factory=dict)
    protected: bool = False
    """Turn on the termination protection of the stack."""

    def describe(self) -> Description | None:
        """Return the stack as DescribeStacks does, or None if it has no resources."""
        found = self._describe(self.name)
        return None if found is None or found["StackStatus"] in UNUSABLE else found

    def outputs(self) -> dict[str, str]:
        """Return the outputs of the stack by name. Without a stack there are none."""
        return {each["OutputKey"]: each["OutputValue"] for each in (self.describe() or {}).get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """Return the present parameters of the stack."""
        found = (self.describe() or {}).get("Parameters", [])
        return {each["ParameterKey"]: each["ParameterValue"] for each in found}

    def preview(self, template: Description, parameters: dict[str, str]) -> list[Change]:
        """Return the changes that `apply` would make."""
        with self._change_set(template, parameters) as (_, changes):
            return changes or []

    def apply(self, template: Description, parameters: dict[str, str]) -> list[Change]:
        """Create or update the stack.

        Returns:
            The changes; none if the stack is up to date.

        Raises:
            StackFailed: CloudFormation refused, and has rolled the stack back.
        """
        with self._change_set(template, parameters) as (made, changes):
            if changes is not None:
                self.client.execute_change_set(ChangeSetName=made["Id"])
                self._wait(made["StackId"])
        self._protect()
        return changes or []

    def refuses_deletion(self) -> bool:
        """Return True if the stack is protected from deletion."""
        return bool((self.describe() or {}).get("EnableTerminationProtection"))

    @contextmanager
    def _change_set(
        self, template: Description, parameters: dict[str, str]
    ) -> Iterator[tuple[Description, list[Change] | None]]:
        """Make a change set, and delete it at the end, with the empty stack that a new one makes.

        Yields:
            The ids of the change set and the stack; and the changes, or None if there are none.
        """
        is_new = self.describe() is None
        if is_new:
            self._delete_unusable()
        made = self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"eventsite-{uuid4().hex}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateBody=json.dumps(template, separators=(",", ":")),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": key, "Value": value} for key, value in self.tags.items()],
            **({"OnStackFailure": "DELETE"} if is_new else {}),
        )
        try:
            yield made, self._changes(made["Id"])
        finally:
            if self.describe() is None:
                self._delete_unusable()
            else:  # CloudFormation itself deletes an executed one
                with suppress(self.client.exceptions.ChangeSetNotFoundException):
                    self.client.delete_change_set(ChangeSetName=made["Id"])

    def _changes(self, change_set: str) -> list[Change] | None:
        pages = self.client.get_paginator("describe_change_set")
        for _ in _waits():
            found = self.client.describe_change_set(ChangeSetName=change_set)
            if found["Status"] == "CREATE_COMPLETE":
                shown = [page["Changes"] for page in pages.paginate(ChangeSetName=change_set)]
                return [_change(each["ResourceChange"]) for page in shown for each in page]
            if found["Status"] == "FAILED":
                reason = found.get("StatusReason", "")
                if any(words in reason for words in NO_CHANGES):
                    return None
                raise StackFailed(f"CloudFormation refused the template of {self.name}: {reason}")
        raise StackFailed(f"The change set of {self.name} is not ready after {PATIENCE_SECONDS:g} seconds.")

    def _wait(self, stack: str) -> None:
        """Wait until the operation on the stack has ended.

        Raises:
            StackFailed: The stack was rolled back.
        """
        for _ in _waits():
            status = (self._describe(stack) or {"StackStatus": "DELETE_COMPLETE"})["StackStatus"]
            if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                return
            if not status.endswith("IN_PROGRESS"):
                raise StackFailed(f"{self._reason(stack)} Stack {self.name} was rolled back.")
        raise StackFailed(f"Stack {self.name} is still changing after {PATIENCE_SECONDS:g} seconds.")

    def _reason(self, stack: str) -> str:
        """Return the first failure of the last operation, in a sentence."""
        failure = "CloudFormation gives no reason."
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=stack)
        for event in (event for page in pages for event in page["StackEvents"]):  # the newest first
            kind, status = event["ResourceType"], event["ResourceStatus"]
            reason = event.get("ResourceStatusReason", "")
            if kind == "AWS::CloudFormation::Stack" and status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                break
            if kind != "AWS::CloudFormation::Stack" and status.endswith("_FAILED") and "cancelled" not in reason:
                name = Change("", event["LogicalResourceId"], kind).name
                failure = f"{name} failed: {reason.rstrip('.')}."
        return failure

    def _protect(self) -> None:
        if self.refuses_deletion() != self.protected:
            self.client.update_termination_protection(StackName=self.name, EnableTerminationProtection=self.protected)

    def _delete_unusable(self) -> None:
        """Delete a stack without resources, which a preview or a failed first deployment left."""
        if found := self._describe(self.name):
            self.client.delete_stack(StackName=self.name)
            for _ in _waits():
                if (self._describe(found["StackId"]) or {}).get("StackStatus", "DELETE_COMPLETE") == "DELETE_COMPLETE":
                    return

    def _describe(self, name: str) -> Description | None:
        try:
            found: Description = self.client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise
        return found


def outputs_of(chosen: Choices) -> dict[str, str]:
    """Return the outputs of a stage's stack, for commands that need no Zappa."""
    import boto3

    session: Any = boto3.Session(region_name=chosen.region)
    return Stack(session.client("cloudformation"), chosen.name).outputs()


def _change(change: Description) -> Change:
    replaces = change.get("Replacement") == "True"
    return Change(change["Action"], change["LogicalResourceId"], change["ResourceType"], replaces)


def _waits() -> Iterator[None]:
    """Yield with growing pauses, for at most `PATIENCE_SECONDS`."""
    until, pause = time.monotonic() + PATIENCE_SECONDS, FIRST_WAIT
    while time.monotonic() < until:
        yield
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_WAIT)
