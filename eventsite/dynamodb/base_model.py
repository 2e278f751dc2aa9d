"""The base of every model: PynamoDB on the shared connection. A model subclasses it and names its table."""

from collections.abc import Callable, Mapping
from functools import cache, partial, reduce
from operator import and_
from typing import Any, TypeVar

from pynamodb.attributes import Attribute, NumberAttribute
from pynamodb.connection import TableConnection
from pynamodb.constants import LIST
from pynamodb.exceptions import AttributeNullError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from eventsite.dynamodb.connection import RawItem, connection
from eventsite.dynamodb.shapes import UnreadableItem, is_value

R = TypeVar("R", bound="BaseModel")


class WholeNumberAttribute(NumberAttribute):
    """An integer. PynamoDB's numbers go through a JSON parser each, which takes ten times as long."""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        super().__set_name__(owner, name)
        self._name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        """Return the value. PynamoDB looks for nested maps first, which no number is in."""
        return self if instance is None else instance.attribute_values.get(self._name)

    def serialize(self, value: Any) -> str:
        return str(int(value))

    def deserialize(self, value: Any) -> int:
        return int(value)


class WholeNumbersAttribute(Attribute[list[int]]):
    """A list of `length` integers. It refuses other values itself; `is_value` takes five times as long."""

    attr_type = LIST

    def __init__(self, length: int) -> None:
        super().__init__(default=lambda: [0] * length)
        self._length = length

    def serialize(self, value: list[int]) -> list[dict[str, str]]:
        return [{"N": str(number)} for number in value]

    def deserialize(self, value: list[dict[str, str]]) -> list[int]:
        """Return the integers, or raise `ValueError`. With a base, `int` refuses all but text."""
        if len(value) != self._length:
            raise ValueError(f"There are {len(value)} numbers.")
        return [int(number["N"], 10) for number in value]


NESTED = frozenset({"L", "M", "NS", "SS"})
NO_TEXT = NESTED | {"BOOL"}
Parsers = dict[str, tuple[str, str, Callable[[Any], Any] | None]]
"""For each stored name: the name in Python, the type, and the parser (None: the value needs none)."""


class BaseModel(Model):
    """The base of every model: PynamoDB, on the shared connection.

    Parsing records dominates the CPU time of a list. So values go straight into `attribute_values`, where PynamoDB
    calls a descriptor for each. Maps with declared attributes and discriminators, which no model here has, are not
    supported.
    """

    class Meta:
        table_name = ""
        expires_by: str | None = None
        """The stored name of the attribute by which DynamoDB removes items, if the model makes the table."""

    FORMER_ITEMS = ""
    """The beginning of range keys that only the release before this one wrote; empty if it wrote the same items."""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        table = super()._get_connection()
        if table.connection is not connection():
            connection().adopt(table)
        return table

    @classmethod
    @cache
    def key_attributes(cls) -> tuple[str, ...]:
        """Return the names of the attributes that make the key, the range key last."""
        return tuple(name for name in (cls._hash_keyname, cls._range_keyname) if name)

    @classmethod
    @cache
    def key_names(cls) -> tuple[str, ...]:
        """Return the stored names of the same."""
        return tuple(cls.get_attributes()[name].attr_name for name in cls.key_attributes())

    @classmethod
    def target_of(cls, *key: str) -> dict[str, Any]:
        """Return the table and the key of an item, as arguments of a call."""
        return {"TableName": cls.Meta.table_name, "Key": cls.raw_key(*key)}

    @classmethod
    def raw_key(cls, *key: str) -> RawItem:
        """Return the key of an item as DynamoDB takes it. All keys are texts."""
        return {name: {"S": part} for name, part in zip(cls.key_names(), key, strict=True)}

    @classmethod
    def read(cls: type[R], *key: str, consistent: bool = True) -> R | None:
        """Return the item with this key, or None."""
        answer = connection().dispatch("GetItem", cls.target_of(*key) | {"ConsistentRead": consistent})
        return cls.parse(answer["Item"]) if "Item" in answer else None

    @classmethod
    def named(cls: type[R], *key: str) -> R:
        """Return a record with nothing but its key, for a condition, an update or a deletion."""
        record = cls.__new__(cls)
        record.attribute_values = dict(zip(cls.key_attributes(), key, strict=True))
        return record

    def target(self) -> dict[str, Any]:
        """Return the table and the key of this item, as `target_of` does."""
        return self.target_of(*[self.attribute_values[name] for name in self.key_attributes()])

    def is_as_read(self, *names: str) -> Condition:
        """Require that some attributes are as in this record. A missing attribute is read as its default."""
        attributes = self.get_attributes()
        return reduce(and_, (_holds(attributes[name], getattr(self, name)) for name in names))

    @classmethod
    @cache
    def _plan(cls) -> tuple[Parsers, dict[str, Any], dict[str, Callable[[], Any]]]:
        """Return how items are read: the parsers, the default values, and those that are made each time."""
        parsers = {one.attr_name: (name, one.attr_type, _parser(one)) for name, one in cls.get_attributes().items()}
        defaults = cls._defaults(False)
        made = {name: default for name, default in defaults.items() if callable(default)}
        return parsers, {name: value for name, value in defaults.items() if name not in made}, made

    @classmethod
    @cache
    def _defaults(cls, for_new: bool) -> dict[str, Any]:
        defaults = {}
        for name, one in cls.get_attributes().items():
            default = one.default if not for_new or one.default_for_new is None else one.default_for_new
            if default is not None:
                defaults[name] = default
        return defaults

    @classmethod
    def _instantiate(cls: type[R], attribute_values: RawItem) -> R:
        """Return the record of an item. Raise `UnreadableItem` if a value is of another type than in the model."""
        record = cls.__new__(cls)
        parsers, defaults, made = cls._plan()
        try:
            record.attribute_values = values = defaults | _parsed(parsers, attribute_values)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise UnreadableItem from error
        for name, make in made.items():
            if name not in values:
                values[name] = make()
        return record

    def _set_defaults(self, _user_instantiated: bool = True) -> None:
        for name, default in self._defaults(_user_instantiated).items():
            self.attribute_values[name] = default() if callable(default) else default

    def _set_attributes(self, **attributes: Any) -> None:
        if unknown := attributes.keys() - self.get_attributes().keys():
            raise ValueError(f"There is no attribute {', '.join(sorted(unknown))}.")
        self.attribute_values.update(attributes)

    def _container_serialize(self, null_check: bool = True) -> RawItem:
        item: RawItem = {}
        for name, attribute in self.get_attributes().items():
            value = self.attribute_values.get(name)
            written = None if value is None else attribute.serialize(value)
            if written is not None:
                item[attribute.attr_name] = {attribute.attr_type: written}
            elif null_check and not attribute.null:
                raise AttributeNullError(name)
        return item

    @classmethod
    def updates(cls, changes: Mapping[str, Any]) -> list[Action]:
        """Return the updates that give attributes new values. A value that is not stored, such as None, removes one."""
        actions = []
        for name, value in changes.items():
            attribute = getattr(cls, name)
            is_stored = value is not None and attribute.serialize(value) is not None
            actions.append(attribute.set(value) if is_stored else attribute.remove())
        return actions

    @classmethod
    def parse(cls: type[R], raw: RawItem) -> R:
        return cls.from_raw_data(raw)


def _parsed(parsers: Parsers, item: RawItem) -> dict[str, Any]:
    """Return the values of an item by their Python names. A parser may raise any error for a value of a wrong type."""
    values = {}
    for stored, value in item.items():
        if "NULL" not in value and (known := parsers.get(stored)):
            name, kind, parse = known
            held = value[kind]
            if type(held) is not str and kind not in NO_TEXT:
                raise TypeError(f"{stored} holds another type")
            values[name] = held if parse is None else parse(held)
    return values


def _parser(attribute: Attribute[Any]) -> Callable[[Any], Any] | None:
    if attribute.attr_type in NESTED and not isinstance(attribute, WholeNumbersAttribute):
        return partial(_checked, attribute)
    as_it_is = type(attribute).deserialize is Attribute.deserialize
    return None if as_it_is else attribute.deserialize


def _checked(attribute: Attribute[Any], held: Any) -> Any:
    if not is_value({attribute.attr_type: held}):
        raise TypeError("a value holds another type")
    return attribute.deserialize(held)


def _holds(attribute: Attribute[Any], value: Any) -> Condition:
    if value is None:
        return attribute.does_not_exist()
    same: Condition = attribute == value
    return same | attribute.does_not_exist() if value == attribute.default else same


def table_models() -> list[type[BaseModel]]:
    """Return the models that define a table, one for each table."""
    return [model for model in BaseModel.__subclasses__() if hasattr(model.Meta, "billing_mode")]
