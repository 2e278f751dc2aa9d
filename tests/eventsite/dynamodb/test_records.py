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
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb.models import Model

from eventsite.dynamodb.records import Record, table_models


class Sample(Record):  # it has no table: nothing is ever stored
    class Meta(Record.Meta):
        table_name = "sample"

    key = UnicodeAttribute(hash_key=True, attr_name="theKey")
    number = NumberAttribute(default=7)
    text = UnicodeAttribute(null=True, default=lambda: "made")
    flag = BooleanAttribute(null=True)
    plain = JSONAttribute(null=True)
    numbers = ListAttribute(of=NumberAttribute, null=True)
    free: MapAttribute[str, Any] = MapAttribute(null=True)
    new = UnicodeAttribute(null=True, default_for_new="only new ones")


def pynamodbs(model: type[Record], item: dict[str, Any]) -> Any:
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
    with pytest.raises(AttributeDeserializationError):
        Sample.from_raw_data({"theKey": {"N": "1"}})


def test_no_model_has_what_is_left_out() -> None:
    def all_of(model: type[Model]) -> list[type[Model]]:
        return [model, *(one for each in model.__subclasses__() for one in all_of(each))]

    assert len(table_models()) >= 3
    for model in all_of(Record):
        assert vars(model).get("_discriminator") is None
