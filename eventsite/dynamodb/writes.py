"""One conditional update with an exact outcome: the item after it, or the item that failed the condition."""

from collections.abc import Sequence
from typing import NamedTuple

from pynamodb.exceptions import VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite.dynamodb import expressions, retries
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem, connection
from eventsite.dynamodb.shapes import UnreadableItem

REFUSED = "ConditionalCheckFailedException"


class Written(NamedTuple):
    done: bool
    """True if the condition held."""
    image: RawItem | None
    """The item after the write, or the item that failed the condition (None: there was no item)."""
    in_doubt: bool
    """True if an unanswered attempt may have been applied, or may still be."""


def conditional_update(record: BaseModel, actions: Sequence[Action], condition: Condition | None) -> Written:
    """Change some attributes of an item, if a condition holds.

    A call that is not answered is sent again, so the condition must fail once the write is done.

    Raises:
        Unavailable: DynamoDB did not answer in time.
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
