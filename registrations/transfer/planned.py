"""Users, events and registrations to write, validated by the serializers of the API.

The fields follow from the serializers and models. This module names only the fields that need a repair.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

from events import services
from events.models import DRAFT, STATUSES
from events.questions import YES_NO, fitting
from events.serializers import EventSerializer
from eventsite import clock
from eventsite.errors import WrongValues
from registrations.models import CANCELLED, REGISTERED, WAITLISTED, RegistrationItem
from registrations.serializers import SOURCES
from registrations.sheet import headers, normalized
from registrations.transfer import columns, moments, notes, people
from registrations.transfer.columns import EVENT, USER
from registrations.transfer.notes import Notes
from registrations.transfer.sheets import Record
from users.serializers import UserSerializer

REGISTRATION_IDS = uuid.UUID("3f0b8f0e-8a54-4c35-9a3e-6f1d1b0f7c55")
LARGEST_VERSION = 10**15


class Refused(Exception):
    """A record cannot be imported. The text has the place and the reason."""


@dataclass
class Attendee:
    user_id: str
    status: str
    carried: dict[str, Any]
    """The further attributes of a registration, by name (`CARRIED`)."""


@dataclass
class PlannedEvent:
    """A valid event with its registrations."""

    event_id: str
    fields: dict[str, Any]
    """The validated fields by their Python names, for `events.services.compose`."""
    organizer_id: str | None
    created_at: str
    updated_at: str
    version: int
    attendees: dict[str, list[Attendee]] = field(
        default_factory=lambda: {status: [] for status in (REGISTERED, WAITLISTED, CANCELLED)}
    )
    """The registrations by status: the waitlist in its order, all others in the order of registration."""

    def promote(self) -> list[Attendee]:
        """Give the free seats to the head of the waitlist, and return the promoted registrations."""
        seats = services.compose(self.fields, self.organizer_id).seats
        seated, waiting = self.attendees[REGISTERED], self.attendees[WAITLISTED]
        free = max(0, int(seats.capacity) - len(seated)) if seats.promotes(clock.seconds()) else 0
        promoted, self.attendees[WAITLISTED] = waiting[:free], waiting[free:]
        at = clock.now()
        for attendee in promoted:
            attendee.status, attendee.carried["promoted_at"] = REGISTERED, at
        seated += promoted
        return promoted


def _body(kind: str, values: Record) -> Record:
    """Return the values of the fields that a client may send, by the names of the API."""
    body: Record = {}
    for name, its_field in columns.FIELDS[kind].items():
        known = [values[one] for one in (name, *columns.ALIASES.get(name, ())) if values.get(one) is not None]
        if known and not its_field.read_only:
            body[name] = _truth(known[0]) if name in columns.SWITCHES else known[0]
    return body


def _truth(value: Any) -> Any:
    """Convert the text of a switch to a boolean. A false that is not understood would switch mail on."""
    return columns.TRUTHS.get(value.strip().lower(), value) if isinstance(value, str) else value


# Users


def user(user_id: str, values: Record, place: str, found: Notes) -> Record:
    """Return the attributes of a user. Refuse one with a field that cannot be repaired."""
    name = people.name_of(values.get("name"), user_id, place, found)
    email = people.address_of(values.get("email"), place, found)
    body = _body(USER, values) | {"userId": user_id, "name": name, "email": email}
    # An import is made by an operator, so an address in it counts as verified unless the record denies it.
    verified = bool(email) and _truth(values.get("emailVerified")) is not False
    created_at = moments.moment(values.get("createdAt")) or clock.now()
    known = {"user_id": user_id, "created_at": created_at, "email_verified": verified or None}
    return _validated(UserSerializer(data=body), place) | known


# Events


def event(event_id: str, values: Record, place: str, found: Notes) -> PlannedEvent:
    """Return an event without registrations. Refuse one with a field that is not valid."""
    fields = _validated(EventSerializer(data=_body_of_event(event_id, values, place, found)), place)
    created_at = moments.moment(values.get("createdAt")) or clock.now()
    return PlannedEvent(
        event_id,
        fields,
        organizer_id=values.get("organizerId"),
        created_at=created_at,
        updated_at=moments.moment(values.get("updatedAt")) or created_at,
        version=_version(values.get("version"), place, found),
    )


def _body_of_event(event_id: str, values: Record, place: str, found: Notes) -> Record:
    """Return the body of the API request that would create the event."""
    defaults = {"description": "", "waitlistEnabled": False}
    body = defaults | _body(EVENT, values) | {"eventId": event_id}
    body |= _day(body.get("date"), values, place, found)
    body["status"] = _status(people.text_of(values.get("status")), event_id, found)
    if not body.get("organizer") and values.get("organizerId"):
        body["organizer"] = values["organizerId"]
        found.add(notes.ORGANIZERS, f"event {event_id}: {values['organizerId']}")
    body.pop("hasWaitlist", None)  # another name of waitlistEnabled, which counts if they disagree
    return body


def _day(written: Any, values: Record, place: str, found: Notes) -> Record:
    """Return the day, and the time of day if the value has one."""
    text = people.text_of(written)
    try:
        date, time = moments.day(text)
    except ValueError:
        return {}  # the serializer refuses it
    if time and not values.get("startTime"):
        found.add(notes.MOMENTS, f"{place}: {text} is {date} at {time['startTime']} UTC")
        return {"date": date, **time}
    return {"date": date}


def _status(text: str, event_id: str, found: Notes) -> str:
    status = text.lower()
    if status in STATUSES:
        return status
    found.add(notes.DRAFTS, f"event {event_id}, which was {text[:40] or 'without a status'}")
    return DRAFT


def _version(value: Any, place: str, found: Notes) -> int:
    text = people.text_of(value)
    if value is None or (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= LARGEST_VERSION):
        return int(text or 1)
    found.add(notes.VERSIONS, f"{place}: {repr(value)[:40]}")
    return 1


# Registrations


CARRIED = {source: name for name, source in SOURCES.items() if source in RegistrationItem.get_attributes()}
"""The fields of a registration that are stored unchanged, by the names of their attributes."""


def carried(values: Record, event: PlannedEvent, place: str, found: Notes) -> dict[str, Any]:
    """Return the further attributes of a registration, by name."""
    kept: dict[str, Any] = {}
    for attribute, name in CARRIED.items():
        value = values.get(name)
        if name in columns.MOMENTS and value is not None:
            value = moments.moment(value)
            if value is None:
                found.add(notes.TIMES, f"{place}, column {name}: {repr(values[name])[:40]}")
        kept[attribute] = value
    kept["answers"] = answers(event.fields.get("questions") or [], values, place, found)
    kept["registered_at"] = kept["registered_at"] or event.created_at
    theirs = people.text_of(kept["registration_id"]) or f"{event.event_id} {values.get('userId')}"
    kept["registration_id"] = registration_id(theirs)
    return kept


def registration_id(theirs: str) -> str:
    """Return a UUID: the given one, or one that is derived from the id."""
    try:
        return str(uuid.UUID(theirs))
    except ValueError:
        return str(uuid.uuid5(REGISTRATION_IDS, theirs))


def by_header(questions: list[Record]) -> dict[str, Record]:
    """Return the questions of an event by the normalized headers of their columns."""
    return dict(zip(map(normalized, headers(questions)), questions, strict=True))


def answers(questions: list[Record], values: Record, place: str, found: Notes) -> Record | None:
    """Return the valid answers of a registration, or None if the event asks no questions.

    A record has them in `answers` by the ids of the questions, or by the headers of their columns. A required one may
    be missing, because the other service did not ask.
    """
    sent = values.get("answers")
    given = sent if isinstance(sent, dict) else _in_columns(questions, values)
    fits: Record = {}
    for question in questions:
        answer = given.get(question["questionId"])
        answer = _truth(answer) if question["kind"] == YES_NO else answer
        try:
            fits |= fitting([question | {"required": False}], {question["questionId"]: answer})
        except WrongValues:
            found.add(notes.ANSWERS, f"{place}: {question['label'][:60]}: {repr(answer)[:60]}")
    return fits if questions else None


def _in_columns(questions: list[Record], values: Record) -> Record:
    """Return the answers that are in the columns of questions."""
    given: Record = {}
    asked = by_header(questions)
    for name, value in values.items():
        question = asked.get(normalized(name))
        if question and value is not None:
            given.setdefault(question["questionId"], value)
    return given


def _validated(serializer: Any, place: str) -> Record:
    """Return the fields by their Python names. Refuse a record if some are not valid."""
    if not serializer.is_valid():
        wrong = dict(serializer.errors).items()
        raise Refused(" ".join(f"{place}, column {name}: {' '.join(_texts(errors))}" for name, errors in wrong))
    return dict(serializer.validated_data)


def _texts(errors: Any) -> list[str]:
    """Return the sentences in the errors of a field, which may be nested."""
    if isinstance(errors, dict):
        errors = list(errors.values())
    return [text for one in errors for text in _texts(one)] if isinstance(errors, list) else [str(errors)]
