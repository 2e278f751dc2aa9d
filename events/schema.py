"""The calls of events in the OpenAPI document."""

from dataclasses import replace
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension

from events.models import STATUSES
from events.serializers import EventSerializer
from events.services import EventExists, EventHasRegistrations, EventNotFound, EventNotYours
from eventsite.errors import Forbidden
from eventsite.openapi.calls import CALLS, QUERY_EXAMPLES, TAGS, Call, changing_something
from eventsite.openapi.components import Json, path_id

SWITCHES = ("waitlistEnabled", "hasWaitlist")

BODY: Json = {
    "eventId": "spring-party",
    "title": "Spring party",
    "description": "Music and cake in the garden.",
    "date": "2083-04-01",
    "endDate": "2083-04-01",
    "startTime": "19:00",
    "endTime": "22:00",
    "timeZone": "Europe/Berlin",
    "location": "Garden",
    "capacity": 50,
    "organizer": "The garden club",
    "status": "published",
    "unlisted": False,
    "organizers": ["bea"],
    "questions": [
        {
            "questionId": "food",
            "label": "What do you eat?",
            "kind": "choice",
            "choices": ["All", "Vegan"],
            "required": True,
        }
    ],
    "waitlistEnabled": True,
    "registrationOpensAt": "2083-02-01T09:00:00Z",
    "registrationClosesAt": "2083-03-31T22:00:00Z",
}
SPRING_PARTY: Json = BODY | {
    "hasWaitlist": True,
    "registeredCount": 50,
    "waitlistCount": 3,
    "checkedInCount": 0,
    "organizerId": None,
    "createdAt": "2083-01-31T09:30:00.000000Z",
    "updatedAt": "2083-01-31T09:30:00.000000Z",
    "version": 1,
}
TAGS["events"] = "Events: create, list, read, change and delete them."
path_id("eventId", example="spring-party")
CALENDAR = {
    "text/calendar": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//eventsite//events//EN\r\nBEGIN:VEVENT\r\n"
    "SUMMARY:Spring party\r\nDTSTART:20830401T170000Z\r\nDTEND:20830401T200000Z\r\n"
    "UID:spring-party.20270131093000000000@eventsite\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}
QUERY_EXAMPLES |= {"status": ["published", "active"], "from": "2083-01-01", "to": "2083-12-31"}


class BodySchema(OpenApiSerializerExtension):
    """The bodies of events: a new one's names of the waitlist switch agree, and an edit changes something."""

    target_class = "events.serializers.EventChangesSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Json:
        schema: Json = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if direction == "response":
            return schema
        if isinstance(self.target, EventSerializer):
            schema["not"] = {"anyOf": [_switched(True, False), _switched(False, True)]}
        else:
            schema = changing_something(schema)
        return schema


def _switched(*values: bool) -> Json:
    properties = {name: {"const": value} for name, value in zip(SWITCHES, values, strict=True)}
    return {"required": list(SWITCHES), "properties": properties}


class StatusesSchema(OpenApiSerializerFieldExtension):
    """The statuses that a list is filtered by."""

    priority = 1  # above all fields with choices
    target_class = "events.serializers.StatusesField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        return {"type": "array", "items": {"type": "string", "enum": list(STATUSES)}}


CHANGE = Call(
    name="updateEvent",
    summary="Change an event",
    description="Only the fields sent are changed; PUT and PATCH do the same. More seats, or opening the event "
    "again, lets as many people in from the waitlist as fit, before the call answers.",
    answer=EventSerializer,
    body={"title": "Spring party (moved)", "location": "Hall"},
    example=SPRING_PARTY | {"title": "Spring party (moved)", "location": "Hall", "version": 2},
    takes=("If-Match",),
    gives=("ETag",),
    refusals=(EventNotYours, EventNotFound),
)
CALLS |= {
    "POST /events": Call(
        name="createEvent",
        summary="Create an event",
        answer=EventSerializer,
        status=201,
        body={name: value for name, value in BODY.items() if name != "eventId"},  # so that it can be sent again
        example=SPRING_PARTY | {"registeredCount": 0, "waitlistCount": 0},
        takes=("Idempotency-Key",),
        gives=("Location", "ETag"),
        refusals=(Forbidden, EventExists),
    ),
    "GET /events": Call(
        name="listEvents",
        summary="List events",
        description="One page, by date and then eventId. As a calendar to subscribe to, all that one answer holds.",
        answer=EventSerializer,
        many=True,
        example=[SPRING_PARTY],
        examples=CALENDAR,
    ),
    "GET /events/{eventId}": Call(
        name="getEvent",
        summary="Read an event",
        answer=EventSerializer,
        example=SPRING_PARTY,
        examples=CALENDAR,
        gives=("ETag",),
        refusals=(EventNotFound,),
    ),
    "PUT /events/{eventId}": CHANGE,
    "PATCH /events/{eventId}": replace(CHANGE, name="patchEvent"),
    "DELETE /events/{eventId}": Call(
        name="deleteEvent",
        summary="Delete an event",
        description="Only while no one is registered or waiting. With `registrations=cancel` everyone's "
        "registration ends with it. Safe to repeat when it was cut off.",
        status=204,
        takes=("If-Match",),
        refusals=(EventNotYours, EventNotFound, EventHasRegistrations),
    ),
}
