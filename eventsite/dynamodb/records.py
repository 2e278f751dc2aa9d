"""The base of every model: PynamoDB on the shared connection. A model subclasses `Record` and names its table."""

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
    def key_attributes(cls) -> list[Attribute[Any]]:
        """The parts of the table's key, the hash first."""
        attributes = cls.get_attributes().values()
        return sorted(
            (one for one in attributes if one.is_hash_key or one.is_range_key), key=lambda one: one.is_range_key
        )

    @classmethod
    def parse(cls: type[R], raw: RawItem) -> R:
        """The record that an item of the table holds."""
        return cls.from_raw_data(raw)


def table_models() -> list[type[Record]]:
    """The models that define a table, one per table (others only share one)."""
    return [model for model in Record.__subclasses__() if hasattr(model.Meta, "billing_mode")]
