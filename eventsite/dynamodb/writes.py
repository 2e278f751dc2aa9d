"""One conditional write whose outcome is known exactly: what the item is now, or what it was instead."""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.exceptions import VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite.dynamodb import retries
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem, connection
from eventsite.dynamodb.shapes import UnreadableItem

REFUSED = "ConditionalCheckFailedException"


@dataclass(frozen=True)
class Written:
    """What became of a write."""

    done: bool
    """Whether its condition held."""
    image: RawItem | None
    """The item after the write; where the condition did not hold, as it was instead (None: there was none)."""
    in_doubt: bool
    """Whether some copy of it was sent and not answered: that copy was carried out before this answer, or never was,
    or still will be."""


def conditional_update(record: BaseModel, actions: Sequence[Action], condition: Condition) -> Written:
    """Change some attributes of an item, if a condition holds.

    A call that is not answered is sent again, so the condition must fail once the write is done.
    Raises: `errors.Unavailable`.
    """
    arguments = record.get_update_kwargs_from_instance(actions=list(actions), condition=condition)
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
    """The item that did not fulfil the condition. Raises the error itself where it is another one."""
    if error.response["Error"].get("Code") != REFUSED:
        raise error
    response: dict[str, RawItem] = getattr(error.__cause__, "response", {})
    return response.get("Item")
