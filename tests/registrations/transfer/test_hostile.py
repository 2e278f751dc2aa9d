"""No file ends in a traceback: it comes in, or a sentence names the place. Mutations of every accepted form."""

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api import Api
from tests.registrations.transfer import tables as theirs
from tests.registrations.transfer.test_guests import LISTS, MEETUP

REGISTRATION = {
    "kind": "registration",
    "registrationId": "4df2fd3d-1afc-4012-bba9-cfd4cbe30001",
    "eventId": "party",
    "userId": "ann",
    "status": "waitlisted",
    "registeredAt": "2026-10-03T08:00:00.000000Z",
    "promotedAt": None,
    "cancelledAt": None,
    "waitlistPosition": 1,
}
EVENT = theirs.A_EVENT | {"kind": "event", "eventId": "party", "createdAt": "2026-10-03T08:00:00.000000Z", "version": 2}
USER = {"kind": "user", "userId": "ann", "name": "Ann", "email": "ann@example.org", "notify": True}


def lines(*records: Any) -> bytes:
    return "\n".join(map(json.dumps, records)).encode()


def scanned(*records: Any) -> bytes:
    items = [{name: theirs.typed(value) for name, value in record.items()} for record in records]
    return json.dumps({"Items": items, "Count": len(items)}).encode()


FORMS: dict[str, bytes] = {
    "export.jsonl": lines(USER, EVENT, REGISTRATION),
    "list.json": json.dumps([{name: value for name, value in REGISTRATION.items() if name != "kind"}, EVENT]).encode(),
    "attendances.json": json.dumps([{"registration": REGISTRATION, "event": EVENT}]).encode(),
    "scan.json": scanned(theirs.B_EVENT, theirs.b_counters(1, 1), theirs.b_row("ann"), theirs.b_row("bea", 0)),
    "c.json": scanned(theirs.C_EVENT, theirs.c_user("ann"), theirs.c_row("ann", "registered", 1)),
    "d.json": json.dumps({"items": [theirs.D_EVENT]}).encode(),
    "first.json": scanned(*theirs.FIRST_RELEASE),
    "users.csv": b"userId,name,email,notify,createdAt\nann,Ann,ann@example.org,FALSE,2026-11-01T10:00:00Z\n",
    "events.csv": b"eventId,title,description,date,location,capacity,organizer,status\n"
    b"party,P,,2083-03-20,S,2,C,active\n",
    "registrations.csv": b"registrationId,eventId,userId,name,email,status\n"
    b"1,party,ann,Ann,ann@example.org,registered\n",
    "meetup.csv": MEETUP.encode(),
    **{f"{name}.csv": text.encode() for name, text in LISTS.items()},
}
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 1e308, 10**400, "", " ", "\x00", "\u200b", "\ud800", "me", "a.b", "x" * 300),
    *(
        [],
        {},
        [[]],
        [None],
        {"S": "x"},
        {"N": "x"},
        {"N": 5},
        {"M": []},
        {"L": {}},
        {"NS": "1"},
        {"NULL": 1},
        {"BOOL": "x"},
    ),
    *(
        "0001-01-01T00:00:00+12:00",
        "9999-12-31T23:59:59-12:00",
        "2083-02-30",
        "24:00",
        "v2",
        "9" * 5000,
        "event",
        "user",
    ),
]
NAMES = [
    "kind",
    "name",
    "title",
    "eventId",
    "userId",
    "registration",
    "event",
    "user",
    "standing",
    "item",
    "sort",
    "PK",
]


def run(directory: Path, name: str, content: bytes, *options: str) -> str:
    """Import a file. It may be refused, but only by a sentence. Returns: what was printed."""
    path = directory / name
    path.write_bytes(content)
    printed = io.StringIO()
    try:
        call_command("import", str(path), *options, stdout=printed, stderr=printed)
    except CommandError as error:
        printed.write(str(error))
        assert "Nothing was imported." in str(error) and "Traceback" not in str(error)
    except SystemExit as ended:
        assert ended.code == 1
    return printed.getvalue()


@given(
    name=st.sampled_from(sorted(FORMS)), seed=st.integers(0, 2**32), bits=st.lists(st.binary(max_size=4), max_size=4)
)
@settings(max_examples=settings().max_examples * 2)
def test_bytes_that_changed_on_their_way(tmp_path: Path, name: str, seed: int, bits: list[bytes]) -> None:
    chance, content = random.Random(seed), bytearray(FORMS[name])
    for inserted in bits:
        position = chance.randrange(len(content))
        content[position : position + chance.randrange(8)] = inserted
    run(tmp_path, name, bytes(content), "--dry-run")


def mutated(value: Any, chance: random.Random) -> Any:
    """Return a value with something odd somewhere in it."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice([*value, chance.choice(NAMES)])
        if chance.random() < 0.25 and name in value:
            return {one: each for one, each in value.items() if one != name}
        return value | {name: mutated(value.get(name), chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        position = chance.randrange(len(value))
        return [*value[:position], mutated(value[position], chance), *value[position + 1 :]]
    return chance.choice(ODD)


@given(name=st.sampled_from(sorted(one for one in FORMS if one.endswith(".json"))), seed=st.integers(0, 2**32))
@settings(max_examples=settings().max_examples * 4)
def test_values_that_no_one_expects(tmp_path: Path, name: str, seed: int) -> None:
    chance, document = random.Random(seed), json.loads(FORMS[name])
    for _ in range(chance.randrange(1, 4)):
        document = mutated(document, chance)
    run(tmp_path, name, json.dumps(document).encode(), "--dry-run")


CELLS = st.sampled_from([str(one) for one in ODD if not (isinstance(one, str) and "\ud800" in one)]) | st.text(
    max_size=9
)


@given(
    name=st.sampled_from(sorted(one for one in FORMS if one.endswith(".csv"))),
    places=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), CELLS), min_size=1, max_size=4),
    order=st.sampled_from(moments_orders := ["ISO", "DMY", "MDY"]),
)
@settings(max_examples=settings().max_examples * 2)
def test_cells_that_no_one_expects(tmp_path: Path, name: str, places: list[tuple[int, int, str]], order: str) -> None:
    import csv

    separator = ";" if b";" in FORMS[name] else ","
    rows = list(csv.reader(io.StringIO(FORMS[name].decode()), delimiter=separator))
    for line, column, cell in places:
        row = rows[line % len(rows)]
        row[column % len(row)] = cell
    sheet = io.StringIO()
    csv.writer(sheet, delimiter=separator).writerows(rows)
    run(tmp_path, name, sheet.getvalue().encode(), "--dry-run", "--date-format", order)


HOSTILE = {
    "nested.json": b"[" * 100_000,
    "nested2.json": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "typed.json": b'[{"eventId": ' + b'{"L": [' * 900 + b"]}" * 900 + b"}]",
    "digits.json": b'[{"userId": "u", "name": "n", "version": ' + b"9" * 5000 + b"}]",
    "nan.json": b'[{"userId": "u", "name": NaN}]',
    "half.json": b'[{"userId": "u3", "name": "\\ud800"}]',
    "nothing.json": b"",
    "null.json": b"null",
    "text.json": b'"text"',
    "mark.json": b"\xef\xbb\xbf",
    "utf16.csv": b"\xff\xfe\x00",
    "cp1252.csv": b"name,email\n\x81,\x8d\n",
    "quote.csv": b'name,email\n"',
    "zeros.csv": b"\x00" * 100,
    "separator.csv": b'sep="\r\nname"email\r\n',
    "wide.csv": b"name," * 3000 + b"email\n",
    "long.csv": b"name,email\n" + b"x" * 200_000 + b",y\n",
    "header.csv": b"name,name,email\nAnn,,ann@example.org\n",
    "kinds.csv": b"kind,userId,name\nevent,ann,Ann\n",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("options", [[], ["--dry-run"], ["--skip"], ["--map", "email=email"]])
def test_files_that_mean_harm(tmp_path: Path, name: str, options: list[str]) -> None:
    run(tmp_path, name, HOSTILE[name], *options)


KEYS = st.sampled_from(["eventId", "userId", "name", "title", "registrationId", "status", "date", "kind", "email"])


@given(st.lists(st.dictionaries(KEYS, st.sampled_from(ODD) | st.text(max_size=5), max_size=6), max_size=4))
@settings(max_examples=settings().max_examples * 2)
def test_what_comes_in_is_what_the_api_gives(api: Api, tmp_path: Path, records: list[dict[str, Any]]) -> None:
    run(tmp_path, "them.json", json.dumps(records).encode(), "--skip")
    for path in ("/users", "/events"):
        answer = api.get(path)
        assert answer.status_code == 200, answer.content
