"""Conditions and actions as arguments of a call: PynamoDB's own way is the reference."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action, Update

from events.ledger.models import ExitTombstones, Seats
from eventsite.dynamodb import expressions

ATOMS = st.one_of(
    st.builds(lambda number: Seats.tickets == number, st.integers(0, 99)),
    st.builds(lambda low: Seats.waiting.between(low, low + 1), st.integers(0, 99)),
    st.builds(lambda bucket: Seats.epochs[bucket] <= 7, st.integers(0, 23)),
    st.builds(lambda name: Seats.log_entries[name].exists(), st.sampled_from(["Ou1c~alice~", "Ou1d~bob~+", "a.b"])),
    st.sampled_from(
        [
            size(Seats.log_entries) < 9,
            Seats.registered < Seats.capacity,
            Seats.ends_at.does_not_exist(),
            Seats.item.startswith("tickets#"),
            Seats.status.is_in("draft", "active"),
        ]
    ),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    ATOMS, lambda inner: st.one_of(st.builds(lambda a, b: a & b, inner, inner), st.builds(lambda a: ~a, inner))
)
ACTIONS: st.SearchStrategy[Action] = st.sampled_from(
    [
        Seats.tickets.set(Seats.tickets + 1),
        Seats.waiting.set(Seats.waiting - 1),
        Seats.epochs[3].set(Seats.epochs[3] + 1),
        Seats.log_entries["Ou1c~alice~"].set("f5"),
        Seats.log_entries["Ou1d~bob~"].remove(),
        Seats.exit_counts["7"].set((Seats.exit_counts["7"] | 0) + 1),
        Seats.by.remove(),
        Seats.registered.add(3),
        ExitTombstones.exits.add({1, 2}),
        ExitTombstones.exits.delete({3}),
    ]
)


def pynamodbs(condition: Condition | None, actions: list[Action]) -> dict[str, Any]:
    """What PynamoDB itself makes of them."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    texts = {
        "ConditionExpression": condition.serialize(names, values) if condition is not None else None,
        "UpdateExpression": Update(*actions).serialize(names, values),
        "ExpressionAttributeNames": {placeholder: name for name, placeholder in names.items()},
        "ExpressionAttributeValues": values,
    }
    return {name: text for name, text in texts.items() if text}


@given(CONDITIONS | st.none(), st.lists(ACTIONS, max_size=5))
def test_the_arguments_are_what_pynamodb_makes_of_them(condition: Condition | None, actions: list[Action]) -> None:
    assert expressions.arguments(condition, actions) == pynamodbs(condition, actions)
