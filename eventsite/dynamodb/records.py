"""The base of every model: PynamoDB on the shared connection. A model subclasses `Record` and names its table."""

from functools import cache
from typing import Any, TypeVar

from pynamodb.attributes import Attribute
from pynamodb.connection import TableConnection
from pynamodb.models import Model

from eventsite.dynamodb.connection import RawItem, connection

R = TypeVar("R", bound="Record")


class Record(Model):
    """The base of every model: PynamoDB, on the shared connection."""

    class Meta:
        table_name = ""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        table = super()._get_connection()
        if table.connection is not connection():
            connection().adopt(table)
        return table

    @classmethod
    def has_range_key(cls) -> bool:
        """Whether the table's key has two parts."""
        return cls._range_keyname is not None

    @classmethod
    def key_names(cls) -> tuple[str, ...]:
        """What the parts of the table's key are called in the table."""
        attributes = cls.get_attributes()
        return tuple(attributes[name].attr_name for name in (cls._hash_keyname, cls._range_keyname) if name)

    @classmethod
    def _instantiate(cls: type[R], attribute_values: RawItem) -> R:
        """A record of an item: what PynamoDB makes of it, in a third of the time, which is most of a list's.

        PynamoDB first sets every default, and every value through a descriptor. It also knows maps with attributes of
        their own and discriminators, which no model here has.
        """
        record = cls.__new__(cls)
        record.attribute_values = {}
        for name, stored, attribute in cls._plan():
            value = attribute_values.get(stored)
            if value and "NULL" not in value:
                record.attribute_values[name] = attribute.deserialize(attribute.get_value(value))
            elif attribute.default is not None:
                default = attribute.default
                record.attribute_values[name] = default() if callable(default) else default
        return record

    @classmethod
    @cache
    def _plan(cls) -> list[tuple[str, str, Attribute[Any]]]:
        """Each attribute: its name here, its name in the table, and itself."""
        return [(name, attribute.attr_name, attribute) for name, attribute in cls.get_attributes().items()]

    @classmethod
    def parse(cls: type[R], raw: RawItem) -> R:
        """The record that an item of the table holds."""
        return cls.from_raw_data(raw)


def table_models() -> list[type[Record]]:
    """The models that define a table, one per table (others only share one)."""
    return [model for model in Record.__subclasses__() if hasattr(model.Meta, "billing_mode")]
