"""Records out of items: PynamoDB's own way is the reference."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.attributes import (
    AttributeContainer,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.exceptions import AttributeNullError
from pynamodb.models import Model

from events.ledger.models import BUCKETS, Seats
from eventsite.dynamodb.base_model import BaseModel, WholeNumberAttribute, table_models
from eventsite.dynamodb.shapes import UnreadableItem


class Sample(BaseModel):  # it has no table: nothing is ever stored
    class Meta(BaseModel.Meta):
        table_name = "sample"

    key = UnicodeAttribute(hash_key=True, attr_name="theKey")
    number = NumberAttribute(default=7)
    whole = WholeNumberAttribute(null=True)
    text = UnicodeAttribute(null=True, default=lambda: "made")
    flag = BooleanAttribute(null=True)
    plain = JSONAttribute(null=True)
    numbers = ListAttribute(of=NumberAttribute, null=True)
    free: MapAttribute[str, Any] = MapAttribute(null=True)
    new = UnicodeAttribute(null=True, default_for_new="only new ones")


class PynamodbsSample(Model):
    class Meta:
        table_name = "sample"


for name, attribute in Sample.get_attributes().items():
    setattr(PynamodbsSample, name, attribute)
type(PynamodbsSample)._initialize_attributes(PynamodbsSample, None)


def pynamodbs(model: type[BaseModel], item: dict[str, Any]) -> Any:
    """The record that PynamoDB itself makes of an item."""
    record = model(_user_instantiated=False)
    AttributeContainer._container_deserialize(record, item)
    return record


NULL = st.just({"NULL": True})
STRING = st.builds(lambda text: {"S": text}, st.text(max_size=5))
NUMBER = st.builds(lambda number: {"N": str(number)}, st.integers() | st.floats(allow_nan=False, allow_infinity=False))
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "theKey": STRING,
        "number": NUMBER | NULL,
        "whole": st.builds(lambda number: {"N": str(number)}, st.integers()),
        "text": STRING | NULL,
        "flag": st.builds(lambda flag: {"BOOL": flag}, st.booleans()) | NULL,
        "plain": st.builds(lambda number: {"S": f"[{number}]"}, st.integers()),
        "numbers": st.builds(lambda numbers: {"L": numbers}, st.lists(NUMBER, max_size=3)),
        "free": st.builds(lambda entries: {"M": entries}, st.dictionaries(st.text(max_size=3), STRING | NUMBER)),
        "unknown": STRING,
        "new": STRING,
    },
)


@given(ITEMS)
def test_a_record_is_what_pynamodb_makes_of_the_item(item: dict[str, Any]) -> None:
    ours, theirs = Sample.from_raw_data(item), pynamodbs(Sample, item)
    assert type(ours) is Sample
    assert ours.serialize(null_check=False) == theirs.serialize(null_check=False)
    for name in Sample.get_attributes():
        if name != "free":
            assert getattr(ours, name) == getattr(theirs, name)


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(UnreadableItem):
        Sample.from_raw_data({"theKey": {"N": "1"}})


def test_no_model_uses_a_feature_that_is_left_out() -> None:
    def all_of(model: type[Model]) -> list[type[Model]]:
        return [model, *(one for each in model.__subclasses__() for one in all_of(each))]

    assert len(table_models()) >= 3
    for model in all_of(BaseModel):
        assert vars(model).get("_discriminator") is None


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "key": st.text(max_size=3),
        "number": st.integers() | st.none(),
        "whole": st.integers() | st.none(),
        "text": st.text(max_size=3) | st.none(),
        "flag": st.booleans() | st.none(),
        "plain": st.lists(st.integers(), max_size=2),
        "numbers": st.lists(st.integers(), max_size=2) | st.none(),
        "free": st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2) | st.none(),
        "new": st.text(max_size=3) | st.none(),
    },
)


@given(VALUES)
def test_a_record_is_written_as_pynamodb_writes_it(values: dict[str, Any]) -> None:
    ours, theirs = Sample(**values), PynamodbsSample(**values)
    for null_check in (False, True):
        assert written(ours, null_check) == written(theirs, null_check)


def written(record: Any, null_check: bool) -> Any:
    """The item of a record, or what lacks for it."""
    try:
        return record.serialize(null_check=null_check)
    except AttributeNullError as error:
        return str(error)


def test_what_no_attribute_is_called_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        Sample("a", colour="red")


@given(st.integers())
def test_whole_numbers_are_read_as_they_are_written(number: int) -> None:
    ours, pynamodbs = WholeNumberAttribute(), NumberAttribute()
    assert ours.serialize(number) == pynamodbs.serialize(number)
    assert ours.deserialize(ours.serialize(number)) == number


@pytest.mark.parametrize("count", [0, 1, BUCKETS - 1, BUCKETS + 1])
def test_epochs_of_another_number_are_refused(count: int) -> None:
    """The users' buckets are counted by them: by none, a bucket could not be computed."""
    with pytest.raises(UnreadableItem):
        Seats.parse({"eventId": {"S": "party"}, "epochs": {"L": [{"N": "0"}] * count}})
