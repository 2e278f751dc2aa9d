"""Conditional writes with an exact outcome: of one item, or of several items or none."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from pynamodb.exceptions import VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite.dynamodb import expressions, retries
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem, connection
from eventsite.dynamodb.shapes import UnreadableItem

REFUSED = "ConditionalCheckFailedException"
FAILED_CONDITION = "ConditionalCheckFailed"  # the same inside a cancelled transaction

Failures = dict[str, RawItem | None]
"""The failed conditions by label, each with the item that failed it; None if there was none."""


class Written(NamedTuple):
    done: bool  # True if the condition held
    image: RawItem | None  # the item after the write, or the item that failed the condition (None: there was no item)
    in_doubt: bool  # True if an unanswered attempt may have been applied, or may still be


class Transacted(NamedTuple):
    done: bool
    failures: Failures
    in_conflict: bool = False  # True if another transaction held one of the items; nothing was written
    in_doubt: bool = False  # True if an unanswered attempt may have been applied, or may still be


def conditional_update(record: BaseModel, actions: Sequence[Action], condition: Condition | None) -> Written:
    """Change some attributes of an item, if a condition holds.

    A call that is not answered is sent again, so the condition must fail once the write is done.
    """
    arguments = record.target() | expressions.arguments(condition, actions)
    arguments |= {"ReturnValues": "ALL_NEW", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    with retries.unanswered_calls() as unanswered:
        try:
            answer = connection().dispatch("UpdateItem", arguments)
        except VerboseClientError as error:
            return Written(done=False, image=_instead(error), in_doubt=bool(unanswered))
    if "Attributes" not in answer:
        raise UnreadableItem
    return Written(done=True, image=answer["Attributes"], in_doubt=bool(unanswered))


def _instead(error: VerboseClientError) -> RawItem | None:
    """Return the item that failed the condition. Raise the error again if it is another one."""
    if error.response["Error"].get("Code") != REFUSED:
        raise error
    response: dict[str, RawItem] = getattr(error.__cause__, "response", {})
    return response.get("Item")


def transact_write(parts: Mapping[str, dict[str, Any]], token: str, *, is_patient: bool) -> Transacted:
    """Write several items or none.

    Args:
        parts: The parts as DynamoDB takes them, each with a label that names it when its condition fails.
        token: The client request token. DynamoDB executes a transaction once, however often it is sent with its token.
        is_patient: False if throttling counts as a conflict, instead of a reason to send the transaction again.
    """
    arguments = {"TransactItems": list(parts.values()), "ClientRequestToken": token}
    failures: Failures = {}
    with retries.unanswered_calls() as unanswered, nullcontext() if is_patient else retries.impatience():
        try:
            connection().dispatch("TransactWriteItems", arguments)
        except VerboseClientError as error:
            if _is_conflict(error):
                retries.conflict_retried.send_robust(sender=None)
                return Transacted(done=False, failures={}, in_conflict=True, in_doubt=bool(unanswered))
            failures = _failures(parts, error)
    return Transacted(done=not failures, failures=failures, in_doubt=bool(unanswered))


def _is_conflict(error: VerboseClientError) -> bool:
    """Return True while other transactions hold some of the items, also if a condition failed.

    It may fail because of the transaction that holds another item, perhaps this very request sent twice with half of
    the first one visible. The conditions are evaluated again after that transaction has ended.
    """
    return bool(retries.cancellation_reasons(error) & {retries.CONFLICT_REASON, *retries.TRANSIENT_REASONS})


def _failures(labels: Mapping[str, Any], error: VerboseClientError) -> Failures:
    reasons = zip(labels, error.cancellation_reasons, strict=False)
    failures = {label: one.raw_item for label, one in reasons if one and one.code == FAILED_CONDITION}
    if not failures:
        raise error
    return failures
