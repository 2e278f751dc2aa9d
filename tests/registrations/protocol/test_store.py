"""The store of the search does what DynamoDB does: the same outcomes as two engines, for random writes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.operand import Value
from pynamodb.expressions.update import Action

from events.ledger.models import BUCKETS, ExitTombstones, Seats
from events.models import EventItem
from eventsite.dynamodb.steps import EXECUTORS, Check, Delete, Put, Transact, Update
from tests.registrations.protocol.store import frozen, key_of, thawed, transacted, updated, written

pytestmark = pytest.mark.two_engines
EVENTS = ("a", "b", "c")
FEWER = settings(max_examples=settings().max_examples // 2)
NAMES = ("x~1", "y~2", "7")
NUMBERS = st.integers(0, 3)


@st.composite
def seats(draw: Any, event: str) -> Seats:
    """Return seats with small numbers, so that conditions are often equal."""
    made = Seats(event, Seats.ITEM, incarnation=draw(st.sampled_from("ij")), status="published", capacity=draw(NUMBERS))
    for name in ("registered", "waiting", "tickets"):
        setattr(made, name, draw(NUMBERS))
    made.open, made.waitlist_enabled = draw(st.booleans()), True
    made.ends_at = draw(st.none() | NUMBERS)
    made.epochs = [*draw(st.lists(NUMBERS, min_size=2, max_size=2)), *[0] * (BUCKETS - 2)]
    made.log_entries = draw(st.dictionaries(st.sampled_from(NAMES), NUMBERS | st.sampled_from(["q1", "h1~2"])))
    made.exit_counts = draw(st.dictionaries(st.sampled_from(["0", "5"]), NUMBERS))
    return made


COUNTERS = st.sampled_from([Seats.registered, Seats.waiting, Seats.tickets, Seats.capacity, Seats.ends_at])


@st.composite
def comparisons(draw: Any) -> Condition:
    one, number, name = draw(COUNTERS), draw(NUMBERS), draw(st.sampled_from(NAMES))
    kinds = [
        one == number,
        one != number,
        one < number,
        one <= draw(COUNTERS),
        one > number,
        one >= draw(COUNTERS),
        one.between(number, draw(NUMBERS) + number),
        one.exists(),
        one.does_not_exist(),
        Seats.incarnation == draw(st.sampled_from("ij")),
        Seats.open == draw(st.booleans()),
        Seats.log_entries[name].exists(),
        Seats.log_entries[name].does_not_exist(),
        Seats.log_entries == {},
        size(Seats.log_entries) < number,
        Seats.epochs[draw(st.sampled_from([0, 1, BUCKETS]))] == number,
    ]
    chosen: Condition = draw(st.sampled_from(range(len(kinds))).map(kinds.__getitem__))
    return chosen


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        inner.map(lambda one: ~one),
    ),
    max_leaves=4,
)


@st.composite
def changes(draw: Any) -> list[Action]:
    """Return some of the kinds of actions that the service sends, for different paths."""
    name, other = draw(st.permutations(NAMES))[:2]
    number, range_ = draw(NUMBERS), draw(st.sampled_from(["0", "5"]))
    bucket, place = Seats.epochs[draw(st.sampled_from([0, 1]))], Seats.exit_counts[range_]
    kinds: list[Action] = [
        Seats.tickets.set(Seats.tickets + 1),
        Seats.registered.set(Seats.registered - number),
        draw(st.sampled_from([Seats.waiting.set(Seats.tickets + 1), Seats.waiting.add(-number)])),
        bucket.set(bucket + 1),
        place.set((place | 0) + 1),
        draw(st.sampled_from([Seats.ends_at.set(number), Seats.ends_at.remove()])),
        draw(st.sampled_from([Seats.log_entries[name].set(Seats.tickets + 1), Seats.log_entries[name].set("q1")])),
        draw(
            st.sampled_from(
                [Seats.log_entries[other].remove(), Seats.log_entries[other].set(Value(-1) - Seats.tickets)]
            )
        ),
        Seats.incarnation.set("k"),
    ]
    return draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5, unique_by=id))


def put(*made: EventItem) -> dict[Any, str]:
    """Store some seats and no other ones, and return them as the store of the search holds them."""
    for item in EventItem.scan():
        item.delete()
    for record in made:
        EXECUTORS[Transact](Transact({"": Put(record)}))
    return {key_of(record): str(frozen(plain(dict(record.serialize())))) for record in made}


def plain(item: Any) -> Any:
    """Return an item in a form in which equal items are equal: the members of a set have no order."""
    if isinstance(item, dict):
        return {name: sorted(value) if name in ("NS", "SS") else plain(value) for name, value in item.items()}
    return [plain(one) for one in item] if isinstance(item, list) else item


def stored() -> dict[Any, Any]:
    return {key_of(item): plain(dict(item.serialize())) for item in (*Seats.scan(), *ExitTombstones.scan())}


@given(data=st.data())
def test_an_update_has_the_outcome_that_it_has_on_the_engines(data: st.DataObject) -> None:
    """An update of seats that exist, under any condition."""
    before = data.draw(seats("a"))
    call = Update(Seats.key("a"), data.draw(changes()), data.draw(st.none() | CONDITIONS))
    items = put(before)
    done, item = written(call, thawed(items[key_of(before)]))
    outcome = EXECUTORS[Update](call)
    assert (done, plain(item)) == (outcome.done, plain(outcome.image))


@given(tickets=st.lists(st.sets(st.integers(0, 999), min_size=1, max_size=3), min_size=1, max_size=4))
@FEWER
def test_a_set_grows_as_on_the_engines(tickets: list[set[int]]) -> None:
    """The first of the updates creates the item."""
    put()
    item = None
    for some in tickets:
        call = Update(ExitTombstones("a", "tickets#i#exits#0"), [ExitTombstones.exits.add(some)])
        item = updated(call.record, call.actions, item)
        assert plain(item) == plain(EXECUTORS[Update](call).image)


@st.composite
def parts(draw: Any, event: str) -> Any:
    condition = draw(st.none() | CONDITIONS)
    key, there = Seats.key(event), Seats.capacity.exists()
    if condition is not None:  # Moto takes no size of an attribute that is not there
        condition = draw(st.sampled_from([there & condition, Seats.capacity.does_not_exist() | condition]))
    kinds = [
        Update(key, draw(changes()), there if condition is None else there & condition),
        Put(draw(seats(event)), condition),
        Delete(key, condition),
        Check(key, there if condition is None else condition),
    ]
    return draw(st.sampled_from(range(len(kinds))).map(kinds.__getitem__))


@given(data=st.data())
def test_a_transaction_has_the_outcome_that_it_has_on_the_engines(data: st.DataObject) -> None:
    """Any parts, for items of which some exist."""
    existing = data.draw(st.sets(st.sampled_from(EVENTS)))
    items = put(*(data.draw(seats(event)) for event in sorted(existing)))
    chosen = data.draw(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=3, unique=True))
    call = Transact({event: data.draw(parts(event)) for event in chosen})
    failures, changed = transacted(items, call.parts)
    outcome = EXECUTORS[Transact](call)
    assert outcome.done == (not failures)
    assert {label: plain(raw) for label, raw in outcome.failures.items()} == {
        label: plain(thawed(text)) for label, text in failures.items()
    }
    after = {key: thawed(text) for key, text in items.items()} | ({} if failures else changed)
    found = {key_of(item): plain(item.serialize()) for item in Seats.scan()}
    assert found == {key: plain(item) for key, item in after.items() if item is not None}


@pytest.mark.parametrize(
    ("actions", "refusal"),
    [
        ([Seats.log_entries["x"].set(1), Seats.log_entries["x"].remove()], ValueError),
        ([Seats.log_entries["x"].set(1), Seats.log_entries.set({})], ValueError),
        ([Seats.log_entries["x"].remove()], KeyError),
    ],
)
def test_the_store_refuses_what_dynamodb_refuses(actions: list[Action], refusal: type[Exception]) -> None:
    """Overlapping paths, and a path without a parent."""
    with pytest.raises(refusal):
        updated(Seats.key("a"), actions, {"eventId": {"S": "a"}, "item": {"S": "seats"}})
