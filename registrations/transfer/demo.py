"""Sample data as records to import: 40 events, some of them full with a waitlist, and 500 users.

The data is always the same, except for the dates, which are around a given day.
"""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Any

from eventsite import clock
from registrations.models import CANCELLED, REGISTERED, WAITLISTED
from registrations.transfer.columns import EVENT, REGISTRATION, USER
from registrations.transfer.sheets import Record

SEED = 2027
SIGN_UP_DAYS = 80
CAME = 0.85  # share of the people with a seat who are checked in
PRIVATE, OPENS_SOON = 26, 30  # the number of an unlisted event, and of one whose registration is not open yet
RUNNING, RUNS_DAYS = 7, 60  # the number of a fair that has begun and is not over, and its length
NAMESPACE = uuid.UUID("5d0c6f3e-52f0-4b6c-8f7e-0a4f6a2d9b11")

FIRST_NAMES = (
    *("Ada", "Amir", "Anna", "Ben", "Carla", "Chen", "David", "Elif", "Emma", "Felix", "Grace", "Hannah", "Ines"),
    *("Jonas", "Kofi", "Lena", "Luca", "Mara", "Milan", "Nina", "Omar", "Priya", "Sofia", "Tom", "Yusuf"),
)
LAST_NAMES = (
    *("Adler", "Bauer", "Costa", "Diaz", "Evans", "Fischer", "Garcia", "Haddad", "Ivanov", "Jansen"),
    *("Khan", "Lopez", "Meyer", "Novak", "Okafor", "Park", "Rossi", "Silva", "Tanaka", "Weber"),
)


FOOD: Record = {
    "questionId": "food",
    "label": "What do you eat at the picnic?",
    "kind": "choice",
    "choices": ["Everything", "Vegetarian", "Vegan"],
    "required": True,
}
BICYCLE: Record = {
    "questionId": "bicycle",
    "label": "Do you bring your own bicycle?",
    "kind": "yesNo",
    "required": True,
}
BROKEN: Record = {"questionId": "item", "label": "What would you like to repair?", "kind": "text", "required": True}
BADGE: Record = {"questionId": "badge", "label": "Which name shall be on the badge?", "kind": "text"}
REPAIRS = ("A toaster", "A zip", "The radio of my grandmother", "A bicycle lamp", "A chair")


def _kind(
    title: str, description: str, location: str, organizer: str, capacity: int, *times: str, **more: Any
) -> Record:
    """Return the fields of an event that takes place several times. `times` are its start and end, if any."""
    texts = {"title": title, "description": description, "location": location, "organizer": organizer}
    hours = dict(zip(("startTime", "endTime"), times, strict=False)) | ({"timeZone": "Europe/Berlin"} if times else {})
    return {**texts, "capacity": capacity, "questions": [], **hours, **more}


KINDS = (
    _kind("Pottery for beginners", "Clay and tools are there.", "Studio 4", "The clay club", 12, "18:30", "21:00"),
    _kind("Open mic night", "Songs, poems, ten minutes each.", "Town hall", "Stage door", 60, "20:00", "23:30"),
    _kind(
        *("Repair café", "Bring what is broken, take it home mended.", "Library", "Neighbours", 25, "14:00", "18:00"),
        questions=[BROKEN, BADGE],
    ),
    _kind("Spring choir concert", "Four choirs, one evening.", "Old church", "Choir council", 120, "19:00", "22:00"),
    _kind("Night of the stars", "Telescopes, if the sky is clear.", "Observatory", "Star gazers", 40, "22:00", "01:30"),
    _kind(
        *("Bicycle tour along the river", "35 km, slowly, with a picnic.", "North bridge", "Wheels", 30),
        questions=[BICYCLE, FOOD],
    ),
    _kind("First aid course", "Until the ambulance is there.", "Fire station", "Neighbours", 15, "09:00", "16:00"),
    _kind("Summer fair", "Stalls, music and a tombola.", "Market square", "Town hall", 400),
)
TWO_DAYS = "Summer fair"


def records(today: date) -> Iterator[Record]:
    """Return the users, the events and the registrations. The dates of the events are around `today`."""
    chance = random.Random(SEED)  # noqa: S311 (no secret)
    users = list(_users(today))
    yield from users
    for number in range(40):
        event = _event(number, today, chance)
        yield event
        yield from _registrations(event, [user["userId"] for user in users], today, chance)


def _users(today: date) -> Iterator[Record]:
    for number, (last, first) in enumerate(product(LAST_NAMES, FIRST_NAMES), 1):
        name = f"{first}.{last}".lower()
        yield {
            "kind": USER,
            "userId": f"demo-user-{number:03}",
            "name": f"{first} {last}",
            "email": f"{name}@example.com",
            "createdAt": _moment(today - timedelta(days=300), number * 60),
        }


def _event(number: int, today: date, chance: random.Random) -> Record:
    kind = KINDS[number % len(KINDS)]
    day = today + timedelta(days=(number - 12) * 6 + chance.randrange(5))
    days = RUNS_DAYS if number == RUNNING else 2 if kind["title"] == TWO_DAYS else 1
    last = day + timedelta(days=days - 1)
    status = "completed" if last < today else "published"
    if number in (9, 21):
        status = "cancelled"
    elif number in (37, 38, 39):
        status = "draft"
    made = _moment(today - timedelta(days=280 - number), 0)
    return {
        **kind,
        "kind": EVENT,
        "eventId": f"demo-event-{number + 1:02}",
        "date": day.isoformat(),
        "endDate": last.isoformat() if last > day else None,
        "status": status,
        "waitlistEnabled": number % 4 != 2,
        "unlisted": number == PRIVATE,
        "organizers": ["demo-user-001", "demo-user-002"] if number % 5 == 0 else [],
        "registrationOpensAt": _moment(today + timedelta(days=2), 0) if number == OPENS_SOON else None,
        "registrationClosesAt": _moment(day - timedelta(days=1), 9 * 60) if number % 3 == 0 else None,
        "createdAt": made,
        "updatedAt": made,
        "version": 1,
    }


def _registrations(event: Record, users: list[str], today: date, chance: random.Random) -> Iterator[Record]:
    """Return the registrations of an event: the first ones have a seat, the others wait, and some are cancelled."""
    if event["status"] == "draft" or event["registrationOpensAt"]:
        return
    wanted = int(event["capacity"] * chance.choice((0.3, 0.7, 1.0, 1.2, 1.5)))
    if not event["waitlistEnabled"]:
        wanted = min(wanted, event["capacity"])
    people = chance.sample(users, min(wanted + wanted // 12, len(users)))
    closed = min(today, date.fromisoformat(event["date"]))
    opened, seats = closed - timedelta(days=SIGN_UP_DAYS), event["capacity"]
    minutes_apart = (SIGN_UP_DAYS - 5) * 24 * 60 // max(1, len(people))
    leavers = set(chance.sample(people, len(people) - min(wanted, len(people))))
    place = 0
    for number, user_id in enumerate(people):
        row: dict[str, Any] = {
            "kind": REGISTRATION,
            "registrationId": str(uuid.uuid5(NAMESPACE, f"{event['eventId']}/{user_id}")),
            "eventId": event["eventId"],
            "userId": user_id,
            "registeredAt": _moment(opened, number * minutes_apart + chance.randrange(minutes_apart)),
        }
        row["answers"] = {one["questionId"]: _answer(one, chance) for one in event["questions"]}
        if user_id in leavers:
            yield row | {"status": CANCELLED, "cancelledAt": _moment(closed - timedelta(days=3), number)}
        elif seats:
            seats -= 1
            came = event["status"] == "completed" and chance.random() < CAME
            yield row | {"status": REGISTERED, "checkedInAt": _moment(closed, 8 * 60 + number) if came else None}
        else:
            place += 1
            yield row | {"status": WAITLISTED, "waitlistPosition": place}


def _answer(question: Record, chance: random.Random) -> Any:
    if question["kind"] == "yesNo":
        return chance.random() < CAME
    return chance.choice(question.get("choices") or REPAIRS if question["questionId"] != "badge" else FIRST_NAMES)


def _moment(day: date, minutes_later: int) -> str:
    return (datetime.combine(day, time(8), UTC) + timedelta(minutes=minutes_later)).strftime(clock.FORMAT)
