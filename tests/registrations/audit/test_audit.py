"""The audit finds and repairs the faults of an event, and ignores traffic."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from events import services
from events.ledger import queue
from events.ledger.models import ExitTombstones, Promotion, Seats
from events.models import Event, EventItem
from eventsite.dynamodb.connection import connection
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import deadline_missed
from eventsite.dynamodb.steps import run
from registrations import nightly
from registrations.audit import checks, repairs, runner
from registrations.audit.findings import Finding
from registrations.audit.snapshot import Snapshot, Traces, take_snapshot
from registrations.models import KEPT, EventTicket, RegistrationItem, UserRegistration
from registrations.seating import commit, trim
from tests.api import Api
from tests.registrations import auditing
from tests.registrations.cutting import cut_off_joining, cut_off_leaving
from tests.registrations.scenes import traces_of
from users.models import User

PARTY = "party"
LONG_AGO = "2020-01-01T00:00:00.000000Z"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "PAUSE_SECONDS", 0.001)


@pytest.fixture
def party(api: Api) -> str:
    """An event with two seats, a queue, a promotion, and users who left."""
    event = api.event(eventId=PARTY, capacity=2)
    with User.batch_write() as users:
        for user in "xabcdef":
            users.save(User(user, name=user, created_at=LONG_AGO))
    for user in "xabcdef":
        api.register(event, user)
        if user == "x":
            api.leave(event, "x")
    for user in "ae":
        api.leave(event, user)
    return event


def command(*arguments: str, **options: Any) -> tuple[str, bool]:
    """What `manage.py audit_seats` prints, and whether its exit status is 0."""
    out = io.StringIO()
    try:
        call_command("audit_seats", *arguments, stdout=out, **options)
    except CommandError as error:
        assert error.returncode == 1
        return f"{out.getvalue()}{error}\n", False
    return out.getvalue(), True


def examined(event: str = PARTY) -> list[str]:
    """Return the kinds of findings of one event."""
    return [finding.kind for finding in runner.examine(event, traces_of(event))]


def seats() -> Seats:
    found = Seats.find(PARTY)
    assert found
    return found


def row(user: str, event: str = PARTY) -> UserRegistration:
    found = UserRegistration.read(*UserRegistration.key_of(event, user))
    assert found
    return found


def line(ticket: int, *, cancelled: bool = False) -> EventTicket:
    found = EventTicket.read(*EventTicket.key_of(PARTY, seats().incarnation, ticket, cancelled=cancelled))
    assert found
    return found


def ticket(user: str) -> int:
    return int(row(user).ticket or 0)


def change(record: Any, **values: Any) -> None:
    """Write attributes past all rules."""
    actions = [getattr(type(record), name).set(value) for name, value in values.items() if value is not None]
    actions += [getattr(type(record), name).remove() for name, value in values.items() if value is None]
    record.update(actions=actions)


def waiting(api: Api) -> list[str]:
    return [entry["userId"] for entry in api.get(f"/events/{PARTY}/waitlist").json()]


def seated(api: Api) -> list[str]:
    return [entry["userId"] for entry in api.get(f"/events/{PARTY}/registrations?status=registered").json()]


def everybody(api: Api) -> Any:
    """Return the users with a seat, as the API lists them."""
    return api.get(f"/events/{PARTY}/registrations").json()


def contents() -> list[Any]:
    """Everything that is stored, in some order."""
    return sorted(str(item.to_dynamodb_dict()) for item in (*all_of_events(), *everything_registered()))


def all_of_events() -> list[Any]:
    return list(EventItem.scan(consistent_read=True))


def everything_registered() -> list[Any]:
    return list(RegistrationItem.scan(consistent_read=True))


def change_seats(**values: Any) -> Callable[[], None]:
    return lambda: change(Seats.key(PARTY), **values)


def change_event(**values: Any) -> Callable[[], None]:
    return lambda: change(Event.key(PARTY), **values)


def same_ticket(user: str, other: str) -> Callable[[], None]:
    return lambda: change(row(user), ticket=ticket(other))


def lose(user: str) -> None:
    """Lose a registration and its line."""
    line(ticket(user)).delete()
    row(user).delete()


def change_exits(*numbers: int) -> None:
    change(ExitTombstones(*queue.exits_key(seats(), 0)), exits=set(numbers) or None)


def lose_moves() -> None:
    for move in Promotion.query(PARTY, Promotion.item.startswith(f"tickets#{seats().incarnation}#promoted")):
        move.delete()


def delete_event() -> None:
    """Delete an event, and all its people stay behind."""
    Seats.get(PARTY).delete()
    Event.get(PARTY).delete()


def is_lines_user(number: int, user: str) -> Callable[[], None]:
    return lambda: change(line(number), user_id=user)


QUESTION = {"questionId": "q", "label": "Why?", "kind": "text", "choices": [], "required": False}

DAMAGE: dict[str, tuple[str, Callable[[], object]]] = {
    "too many counted as registered": ("registered_count", change_seats(registered=7)),
    "too few counted as registered": ("registered_count", change_seats(registered=0)),
    "a counter is gone": ("registered_count", change_seats(registered=None)),
    "too many counted as waiting": ("waiting_count", change_seats(waiting=3)),
    "nobody counted as waiting": ("waiting_count", change_seats(waiting=0)),
    "fewer tickets given than there are": ("tickets", change_seats(tickets=3)),
    "more tickets given than there are": ("exits", change_seats(tickets=9)),
    "the queue stands where it has been": ("watermark", change_seats(seated_through=1)),
    "the queue stands above its last ticket": ("tickets", change_seats(seated_through=8)),
    "no ticket counted as an exit": ("exits", change_seats(exit_counts={})),
    "too many counted as exits": ("exits", change_seats(exit_counts={"0": 2})),
    "a ticket counted as an exit that was never given": ("exits", change_seats(exit_counts={"0": 1, "3": 1})),
    "who is gone is lost": ("exits", change_exits),
    "who is gone is somebody else": ("exits", lambda: change_exits(5)),
    "somebody is lost who has a seat": ("registered_count", lambda: lose("b")),
    "somebody is lost who waits": ("waiting_count", lambda: lose("d")),
    "a registration is lost": ("lost_registration", lambda: row("b").delete()),
    "a waiting registration is lost": ("lost_registration", lambda: row("d").delete()),
    "a line is lost": ("line_missing", lambda: line(ticket("b")).delete()),
    "a line is somebody else's": ("lines_differ", is_lines_user(5, "f")),
    "a line is nobody's": (
        "stray_line",
        lambda: EventTicket(*EventTicket.key_of(PARTY, seats().incarnation, 6)).save(),
    ),
    "a line of a registration that is long over": (
        "stray_line",
        lambda: EventTicket(*EventTicket.key_of(PARTY, seats().incarnation, 6), user_id="e", ticket=6).save(),
    ),
    "a line says another time": ("lines_differ", lambda: change(line(ticket("b")), registered_at=LONG_AGO)),
    "a registration has no id": ("lines_differ", lambda: change(row("b"), registration_id=None)),
    "two have one id": ("lines_differ", lambda: change(row("b"), registration_id=row("c").registration_id)),
    "two have one ticket, and a seat": ("shared_ticket", same_ticket("c", "b")),
    "two have one ticket, and wait": ("shared_ticket", same_ticket("f", "d")),
    "somebody who left is not in the list of them": ("history_missing", lambda: line(1, cancelled=True).delete()),
    "somebody who left has no registration that says so": ("lost_past", lambda: row("x").delete()),
    "it is not written down when the queue moved": ("move_missing", lose_moves),
    "seats are free while people wait": ("idle_seats", change_seats(capacity=3)),
    "more seats are free than people wait": ("idle_seats", change_seats(capacity=30)),
    "somebody has a seat who does not exist": ("deleted_user", lambda: User("b").delete()),
    "somebody waits who does not exist": ("deleted_user", lambda: User("d").delete()),
    "the seats are gone": ("half_missing", lambda: Seats.get(PARTY).delete()),
    "the description is gone": ("half_missing", lambda: Event.get(PARTY).delete()),
    "open although it is not": ("halves_at_odds", change_event(status="draft")),
    "closed although it is open": ("halves_at_odds", change_seats(open=False)),
    "seats of another edit": ("halves_at_odds", change_seats(settings=5)),
    "a description of another event": ("halves_at_odds", change_event(incarnation="another")),
    "seats of another organizer": ("halves_at_odds", change_seats(organizer_id="somebody")),
    "listed on another day": ("halves_at_odds", change_event(sort="2020-01-01#party")),
    "listed twice": ("halves_at_odds", change_seats(sort="2020-01-01#party")),
    "the capacity is lost": ("halves_at_odds", change_seats(capacity=None)),
    "the end of the window is lost": ("halves_at_odds", change_seats(ends_at=None)),
    "seats of other co-organizers": ("halves_at_odds", change_seats(organizer_marks="another")),
    "seats that ask nothing": ("halves_at_odds", change_event(questions=[QUESTION])),
}


REMAINS: dict[str, tuple[str, Callable[[], object]]] = {
    "a joining that is not applied": ("unapplied", lambda: cut_off_joining(PARTY, "a", at=LONG_AGO)),
    "a leaving of the queue that is not applied": ("unapplied", lambda: cut_off_leaving(PARTY, "f", at=LONG_AGO)),
    "a registration that is nothing": (
        "empty",
        lambda: UserRegistration(*UserRegistration.key_of(PARTY, "y"), active=True).save(),
    ),
    "somebody who left and does not exist": ("deleted_user", lambda: User("x").delete()),
    "a deleted event": ("leftover", delete_event),
}
"""What requests leave behind that are cut off; nobody is harmed by it."""


def test_a_healthy_event_has_no_findings(api: Api, party: str) -> None:
    api.post("/users", {"name": "Ann"}, idempotency_key="k")
    api.post("/events", {}, idempotency_key="k")  # markers lie beside the events
    assert runner.examine(party, traces_of(party)) == []
    assert command() == ("Audited 1 event: all is well.\n", True)
    assert auditing.audit(party) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_repaired(party: str, damage: str) -> None:
    kind, break_it = DAMAGE[damage]
    break_it()
    before = contents()
    assert kind in examined()
    assert contents() == before, "an audit that was not asked to repair changed something"
    printed, well = command(repair=True)
    assert well, printed
    assert "Repaired." in printed
    assert examined() == [], "something is left"
    assert auditing.audit(party, shrunk=True) == []


UNREADABLE: dict[str, tuple[type[Any], tuple[str, str], dict[str, Any]]] = {
    "seats of other types": (Seats, (PARTY, Seats.ITEM), {"capacity": {"S": "many"}}),
    "seats with a log of another form": (Seats, (PARTY, Seats.ITEM), {"records": {"M": {"x": {"N": "1"}}}}),
    "a description without a date": (Event, (PARTY, Event.ITEM), {"date": None}),
    "a registration of other types": (UserRegistration, UserRegistration.key_of(PARTY, "a"), {"active": {"S": "yes"}}),
}


@pytest.mark.parametrize("damage", UNREADABLE)
def test_an_event_that_cannot_be_read_is_a_finding_and_the_others_are_audited(
    api: Api, party: str, damage: str
) -> None:
    model, key, values = UNREADABLE[damage]
    item = model.get(*key).to_dynamodb_dict() | values
    raw = {name: value for name, value in item.items() if value is not None}
    connection().dispatch("PutItem", {"TableName": model.Meta.table_name, "Item": raw})
    other = api.event(eventId="other")
    Seats.key(other).update([Seats.registered.set(1)])
    for repair in (False, True):
        printed, well = command(repair=repair)
        assert not well
        assert f"{PARTY}: " in printed and f"{other}: " in printed


@pytest.mark.parametrize("damage", [damage for damage, (kind, _) in DAMAGE.items() if kind == "halves_at_odds"])
def test_the_repair_of_an_unlisted_event_lists_it_nowhere(api: Api, party: str, damage: str) -> None:
    assert api.patch(f"/events/{PARTY}", {"unlisted": True}).json()["unlisted"] is True
    DAMAGE[damage][1]()
    command(repair=True)
    assert (examined(), Event.get(PARTY).sort) == ([], None)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_repaired_event_goes_on_and_no_repair_that_comes_too_late_does_anything(
    api: Api, party: str, damage: str
) -> None:
    DAMAGE[damage][1]()
    findings = runner.examine(party, traces_of(party))
    command(party, repair=True)
    people_come_and_go(api)
    for finding in findings:
        if finding.repair:
            finding.repair()
    assert examined() == []
    everybody_leaves(api)
    assert examined() == []


def people_come_and_go(api: Api) -> None:
    settings = {"capacity": 4, "status": "published", "waitlistEnabled": True}
    assert api.patch(f"/events/{PARTY}", settings).status_code == 200
    assert api.register(PARTY, api.user("new")).status_code == 201
    if api.leave(PARTY, "f").status_code == 200:
        assert api.register(PARTY, "f").status_code == 201
    users = [*seated(api), *waiting(api)]
    assert len(users) == len(set(users))
    for user in users:
        assert api.get(f"/events/{PARTY}/registrations/{user}").json()["status"] in ("registered", "waitlisted")


def everybody_leaves(api: Api) -> None:
    for user in [*seated(api), *waiting(api)]:
        assert api.leave(PARTY, user).status_code == 200
    found = api.get(f"/events/{PARTY}").json()
    assert (found["registeredCount"], found["waitlistCount"]) == (0, 0)


@pytest.mark.parametrize("remains", REMAINS)
def test_what_cut_off_requests_leave_is_found_and_repaired_and_is_no_alarm(api: Api, party: str, remains: str) -> None:
    kind, leave_it = REMAINS[remains]
    leave_it()
    assert kind in examined()
    printed, well = command()
    assert well, printed
    assert "(harmless)" in printed
    before = everybody(api)
    printed, well = command(repair=True)
    assert well, printed
    assert "Repaired." in printed
    assert examined() == []
    assert everybody(api) == before


# What the mending does to people.


@pytest.mark.parametrize("lost", ["registration", "line", "seats"])
def test_a_repair_keeps_everything_that_the_other_items_still_have(api: Api, lost: str) -> None:
    """Nothing here names a field of the models, so a new one is tried too."""
    questions = [{"questionId": "food", "label": "Food?", "kind": "text"}]
    event = api.event(eventId=PARTY, capacity=2, organizers=["olga"], questions=questions)
    api.post(f"/events/{event}/registrations", {"userId": api.user("ada"), "answers": {"food": "Vegan"}})
    api.put(f"/events/{event}/registrations/ada/check-in")
    api.post(f"/events/{event}/registrations", {"userId": api.user("bob"), "answers": {}})  # trims the log
    read = {
        "registration": lambda: {name: getattr(row("ada"), name) for name in KEPT},
        "line": lambda: {name: getattr(line(ticket("ada")), name) for name in KEPT},
        "seats": lambda: {name: getattr(seats(), name) for name in services.copied(Event.get(PARTY, Event.ITEM))},
    }[lost]
    before = read()
    {"registration": row("ada"), "line": line(ticket("ada")), "seats": seats()}[lost].delete()
    command(PARTY, repair=True)
    assert read() == before


def test_mending_a_counter_lets_nobody_in_or_out(api: Api, party: str) -> None:
    change(Seats.key(party), registered=9, waiting=9)
    command(party, repair=True)
    assert (seated(api), waiting(api)) == (["b", "c"], ["d", "f"])


def test_free_seats_go_to_the_head_of_the_queue(api: Api, party: str) -> None:
    lose("b")
    command(party, repair=True)
    assert (seated(api), waiting(api)) == (["c", "d"], ["f"])
    assert api.get(f"/events/{party}/registrations/d").json()["promotedAt"]


def test_who_is_still_in_the_list_is_given_back_their_registration(api: Api, party: str) -> None:
    before = api.get(f"/events/{party}/registrations").json()
    row("c").delete()
    row("f").delete()
    assert set(examined()) == {"lost_registration"}
    command(party, repair=True)
    assert api.get(f"/events/{party}/registrations").json() == before


def test_who_shares_a_ticket_gets_their_own_back(api: Api, party: str) -> None:
    before = ticket("f")
    change(row("f"), ticket=ticket("d"))
    command(party, repair=True)
    assert ticket("f") == before
    assert (seated(api), waiting(api)) == (["b", "c"], ["d", "f"])


def test_who_shares_a_ticket_and_has_no_own_keeps_the_seat_where_a_number_is_free(api: Api, party: str) -> None:
    api.register(party, "x")  # so ticket 1 is nobody's
    line(ticket("c")).delete()
    change(row("c"), ticket=ticket("b"))
    command(party, repair=True)
    assert ticket("c") == 1
    assert set(seated(api)) == {"b", "c"}


def test_places_are_right_again_once_it_is_known_who_left_the_queue(api: Api, party: str) -> None:
    change(Seats.key(party), exit_counts={})
    command(party, repair=True)
    positions = [api.get(f"/events/{party}/registrations/{user}").json()["waitlistPosition"] for user in "df"]
    assert positions == [1, 2]


def test_a_user_who_does_not_exist_leaves_and_the_seat_is_handed_on(api: Api, party: str) -> None:
    User("b").delete()
    command(party, repair=True)
    assert (seated(api), waiting(api)) == (["c", "d"], ["f"])
    assert not [item for item in everything_registered() if "b" in (item.key, getattr(item, "user_id", None))]


def test_an_event_without_seats_gets_them_back_and_can_be_edited(api: Api, party: str) -> None:
    Seats.get(party).delete()
    assert api.get(f"/events/{party}").status_code == 404
    command(party, repair=True)
    event = api.get(f"/events/{party}").json()
    assert (event["capacity"], event["registeredCount"], event["waitlistCount"]) == (2, 2, 2)
    assert api.patch(f"/events/{party}", {"capacity": 3}).json()["registeredCount"] == 3


def test_seats_without_a_description_get_one(api: Api, party: str) -> None:
    Event.get(party).delete()
    command(party, repair=True)
    assert api.get(f"/events/{party}").json()["title"] == repairs.LOST
    assert api.patch(f"/events/{party}", {"title": "Party"}).json()["title"] == "Party"


TIMES = {
    "a day": {},
    "at noon": {"startTime": "12:00", "timeZone": "Europe/Berlin"},
    "the last hour": {"startTime": "23:00", "endTime": "23:59", "timeZone": "Pacific/Pago_Pago"},
    "the first hour": {"startTime": "00:00", "endTime": "01:00", "timeZone": "Pacific/Kiritimati"},
    "overnight": {"startTime": "20:00", "endTime": "04:00", "timeZone": "America/New_York"},
    "several days": {"endDate": "2083-05-03"},
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_a_description_that_is_written_again_opens_nothing_that_was_closed(api: Api, times: dict[str, str]) -> None:
    opening = {"registrationOpensAt": "2083-01-02T03:04:05Z", "registrationClosesAt": "2083-02-03T04:05:06Z"}
    event_id = api.event(date="2083-05-01", unlisted=True, **times, **opening)
    ends_at = Seats.get(event_id).ends_at
    Event.get(event_id).delete()
    command(event_id, repair=True)
    again = api.get(f"/events/{event_id}").json()
    assert {name: again[name][:19] + "Z" for name in opening} == opening
    assert ends_at <= Seats.get(event_id).ends_at < ends_at + 24 * 60 * 60
    assert (again["unlisted"], Event.get(event_id).sort) == (True, None)


def test_of_a_deleted_event_nothing_stays_and_its_successor_is_left_alone(api: Api, party: str) -> None:
    delete_event()
    api.event(eventId=party)
    api.register(party, "y") if api.user("y") else None
    incarnation = seats().incarnation
    assert set(examined()) == {"leftover"}
    command(repair=True)
    assert seated(api) == ["y"]
    rows = [item for item in everything_registered() if item.incarnation != incarnation]
    assert rows == []
    assert {item.item for item in all_of_events() if item.event_id == party} == {"event", "seats"}


def test_a_ticket_that_is_far_too_high_is_left_to_people(party: str) -> None:
    change(row("f"), ticket=10**9)
    change(line(ticket("d")), ticket=1)
    printed, well = command(party, repair=True)
    assert not well
    assert "far above" in printed


# Operations that were cut off.


def test_a_joining_that_was_cut_off_after_its_commit_is_applied(api: Api, party: str) -> None:
    cut_off_joining(party, api.user("n"), at=LONG_AGO)
    assert examined() == ["unapplied"]
    command(repair=True)
    assert ticket("n") == seats().tickets
    assert waiting(api) == ["d", "f", "n"]
    assert auditing.audit(party) == []


def test_a_young_operation_is_none_of_the_audits_business(api: Api, party: str) -> None:
    cut_off_joining(party, api.user("n"))
    assert examined() == []


def test_a_leaving_that_was_cut_off_is_applied_although_its_move_is_lost(party: str) -> None:
    number = ticket("c")
    cut_off_leaving(party, "c", at=LONG_AGO)
    lose_moves()
    printed, well = command(repair=True)
    assert well, printed
    assert (row("c").ticket, row("c").active) == (number, False)
    assert examined() == []
    assert auditing.audit(party) == []


def test_entries_that_pile_up_are_trimmed_but_not_those_still_needed(api: Api, party: str) -> None:
    cut_off_joining(party, api.user("n"), at=LONG_AGO)
    (needed,) = (name for name in seats().committed if "~n~" in name)
    applied = row("b").operations
    names = [f"{applied}~b~{number:06}" for number in range(checks.MANY_ENTRIES + 1)]
    Seats.key(party).update(actions=[Seats.log_entries[name].set("f1") for name in names])
    assert {"unapplied", "long_log"} <= set(examined())
    command(repair=True)
    assert needed not in seats().committed or ticket("n")
    assert len(seats().committed) <= trim.room(seats())
    assert examined() == []


# The command.


def test_without_repair_it_changes_nothing_and_fails(party: str) -> None:
    change(Seats.key(party), registered=7)
    before = contents()
    printed, well = command()
    assert not well
    assert printed.splitlines() == [
        "party: The counter says that 7 are registered; the registrations say 2.",
        "Audited 1 event: 1 thing is wrong.",
    ]
    assert contents() == before


def test_only_the_named_events_are_audited(api: Api, party: str) -> None:
    other = api.event()
    change(Seats.key(other), registered=1)
    assert command(party)[1]
    assert not command(party, other)[1]


@pytest.mark.parametrize("unknown", ["nobody", "no/id", "party#1"])
def test_an_unknown_id_is_one_sentence_and_exit_status_1(party: str, unknown: str) -> None:
    assert command(unknown) == (f"There is no event with this id: {unknown}.\n", False)


def test_missing_tables_are_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LOCAL", False)  # where nothing makes them
    RegistrationItem.delete_table()
    with pytest.raises(CommandError, match=r"There is no table .*registrations: run `manage.py create_tables`"):
        call_command("audit_seats")


# Looks that prove nothing.


def test_a_mend_gives_way_to_whatever_happened_since(api: Api, party: str) -> None:
    change(Seats.key(party), registered=5)
    (finding,) = runner.examine(party, traces_of(party))
    api.leave(party, "f")
    assert finding.repair
    finding.repair()
    assert seats().registered == 5


def test_a_difference_that_does_not_last_is_none(party: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction just being committed may be visible in one item and not yet in the other."""
    torn = iter([True])

    def half_visible(event_id: str, traces: Traces) -> Snapshot:
        seen = take_snapshot(event_id, traces)
        return replace(seen, lines={}) if next(torn, False) else seen

    monkeypatch.setattr(runner, "take_snapshot", half_visible)
    assert runner.examine(party, traces_of(party)) == []


def test_seats_that_change_while_people_are_counted_prove_nothing(party: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "take_snapshot", lambda *of: replace(take_snapshot(*of), lines={}, still=False))
    (finding,) = runner.examine(party, traces_of(party))
    assert (finding.kind, finding.harmless) == (runner.UNSETTLED, True)


def test_whether_seats_stood_still_is_seen(party: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert take_snapshot(party, Traces()).still

    def fence_meanwhile(*keys: Any, consistent: bool) -> list[Any]:
        run(commit.fence(seats(), "a"))
        return batch_get(*keys, consistent=consistent)

    monkeypatch.setattr("registrations.audit.snapshot.batch_get", fence_meanwhile)
    assert not take_snapshot(party, Traces()).still


def test_what_cannot_be_judged_any_more_is_not_called_repaired(party: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change(Seats.key(party), registered=5, waiting=5)
    broken = runner.examine(party, traces_of(party))
    outcomes = iter([broken])
    unsettled = [Finding(party, runner.UNSETTLED, "", harmless=True)]
    monkeypatch.setattr(runner, "examine", lambda *_: next(outcomes, unsettled))
    assert {finding.repaired for finding in runner.repair_event(party, traces_of(party))} == {False}


# Beside live traffic.


@pytest.fixture
def traffic(api: Api, party: str, request: pytest.FixtureRequest) -> Iterator[list[int]]:
    """Some people who register and leave without end, and the statuses they get."""
    stop, statuses = threading.Event(), list[int]()

    def come_and_go(user: str) -> None:
        mine = Api()
        while not stop.is_set():
            statuses.append(mine.register(party, user).status_code)
            statuses.append(mine.leave(party, user).status_code)

    threads = [threading.Thread(target=come_and_go, args=[user]) for user in api.users(request.param)]
    for thread in threads:
        thread.start()
    yield statuses
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 201}
    assert runner.examine(party, traces_of(party)) == []
    assert auditing.audit(party) == []


@pytest.mark.parametrize("traffic", [2], indirect=True)
def test_live_traffic_raises_no_false_alarm(party: str, traffic: list[int]) -> None:
    torn = 0
    for _ in range(300):
        torn += bool(checks.differences(take_snapshot(party, traces_of(party))))
        assert all(finding.harmless for finding in runner.examine(party, traces_of(party)))
        if torn >= 3:
            return
    raise AssertionError("too few looks were torn by the traffic: this proves nothing")


@pytest.mark.parametrize("traffic", [1], indirect=True)
def test_a_counter_is_repaired_beside_live_traffic(party: str, traffic: list[int]) -> None:
    Seats.key(party).update(actions=[Seats.waiting.add(5)])
    for _ in range(300):
        if any(finding.repaired for finding in runner.repair_event(party, traces_of(party))):
            return
    raise AssertionError("never stood still for long enough")


# At night.


class Lambda:
    """The context of a Lambda with so much time left."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


@pytest.mark.parametrize("remains", REMAINS)
def test_at_night_what_cut_off_requests_leave_is_repaired(party: str, remains: str) -> None:
    kind, leave_it = REMAINS[remains]
    leave_it()
    reported = nightly.audit({}, Lambda(60))
    assert (reported["wrong"], reported["unfinished"]) == (0, 0)
    assert (examined() == []) == (kind in checks.SAFE)


@pytest.mark.parametrize("damage", ["seats are free while people wait", "somebody has a seat who does not exist"])
def test_at_night_seats_are_handed_on_and_it_is_no_alarm(api: Api, party: str, damage: str) -> None:
    DAMAGE[damage][1]()
    assert nightly.audit({}, Lambda(60)) == {"audited": 1, "repaired": 1, "wrong": 0, "unfinished": 0}
    assert seated(api)[-1] == "d"
    assert examined() == []


def test_at_night_whatever_needs_judgement_is_reported_and_left_alone(party: str) -> None:
    change(Seats.key(party), registered=5)
    before = contents()
    assert nightly.audit({}, Lambda(60)) == {"audited": 1, "repaired": 0, "wrong": 1, "unfinished": 0}
    assert contents() == before


def test_at_night_the_time_is_kept(api: Api, party: str) -> None:
    reported = nightly.audit({}, Lambda(nightly.RESERVED_SECONDS + nightly.ONE_EVENT_SECONDS / 2))
    assert (reported["audited"], reported["unfinished"]) == (0, 1)
    assert nightly.audit({}, Lambda(0))["unfinished"] == 1


def test_at_night_a_census_that_is_cut_off_raises_no_alarm(party: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "CENSUS_SHARE", 0.0)
    alarmed = Mock(spec=[])
    deadline_missed.connect(alarmed)  # the alarm of the stage counts these
    assert nightly.audit({}, Lambda(60)) == {"audited": 1, "repaired": 0, "wrong": 0, "unfinished": 1}
    assert not alarmed.called
