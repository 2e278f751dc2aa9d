"""The calls of registrations in the OpenAPI document."""

from dataclasses import replace

from events.schema import CALENDAR, SPRING_PARTY
from events.services import EventNotFound, EventNotYours
from eventsite.errors import Forbidden
from eventsite.openapi.calls import CALLS, QUERY_EXAMPLES, TAGS, Call
from eventsite.openapi.components import COMPONENTS, Json
from eventsite.web import sheets
from registrations import errors, serializers
from registrations.checkin import NotRegistered
from registrations.models import Registration
from registrations.notices.organizer_messages import MailIsOff, TooManyMessages
from registrations.serializers import shape
from registrations.sheet import COLUMNS
from users.services import UserNotFound

REGISTERED: Json = shape(
    Registration(
        event_id="spring-party",
        user_id="alice",
        registration_id="6f1c1f7e-4d0b-4b53-9a0b-2f7d2f0f6d11",
        status="registered",
        registered_at="2083-02-01T12:00:00.000000Z",
        answers={"food": "Vegan"},
    )
)
WAITLISTED: Json = REGISTERED | {
    "registrationId": "0d3a7d52-9c65-4f0e-8c0a-53b1b0a9c7f2",
    "userId": "bob",
    "status": "waitlisted",
    "waitlistPosition": 1,
}

ALICE = REGISTERED | {"name": "Alice", "email": "alice@example.com"}
ROWS = [[*COLUMNS, "What do you eat?"], [*(ALICE[column] for column in COLUMNS), "Vegan"]]
SHEET = {"text/csv": sheets.lines(ROWS).decode()}
QUERY_EXAMPLES |= {"bom": False, "separator": ",", "checkedIn": False}
TAGS["registrations"] = "Registrations and waitlists of events and of users."

CHECK_IN = Call(
    name="checkIn",
    summary="Check a person in at the door",
    description="A repetition changes nothing: the first time stays.",
    answer=serializers.RegistrationSerializer,
    example=REGISTERED | {"checkedInAt": "2083-04-01T17:00:00.000000Z"},
    refusals=(EventNotYours, EventNotFound, errors.RegistrationNotFound, NotRegistered),
)
ADDRESS: Json = {"url": "https://events.example.com/calendars/8f14e45fceea167a5a36dedd4bea2543alice.ics"}
COMPONENTS["parameters"]["token"] = {
    "name": "token",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,160}$"},
    "example": "8f14e45fceea167a5a36dedd4bea2543alice",
}
CALLS |= {
    "POST /events/{eventId}/registrations": Call(
        name="register",
        summary="Register a user for an event",
        description="The user gets a seat if one is free and no one waits, else a place at the end of the waitlist if "
        "the event has one.",
        answer=serializers.RegisteredSerializer,
        status=201,
        body={"userId": "alice", "answers": {"food": "Vegan"}},
        example=REGISTERED | {"message": "You have a seat."},
        takes=("Idempotency-Key",),
        gives=("Location",),
        refusals=(
            Forbidden,
            EventNotFound,
            UserNotFound,
            errors.AlreadyRegistered,
            errors.EventFull,
            errors.RegistrationNotOpen,
            errors.RegistrationClosed,
        ),
    ),
    "DELETE /events/{eventId}/registrations/{userId}": Call(
        name="unregister",
        summary="Give up a registration",
        description="A freed seat goes to the head of the waitlist.",
        answer=serializers.LeftSerializer,
        example={
            "message": "The registration is cancelled. The next person on the waitlist got the seat.",
            "promotedUser": "bob",
        },
        refusals=(Forbidden, errors.RegistrationNotFound),
    ),
    "GET /events/{eventId}/registrations/{userId}": Call(
        name="getRegistration",
        summary="Read a user's registration for an event",
        answer=serializers.RegistrationSerializer,
        example=REGISTERED,
        refusals=(Forbidden, errors.RegistrationNotFound),
    ),
    "PATCH /events/{eventId}/registrations/{userId}": Call(
        name="changeAnswers",
        summary="Change the answers of a registration",
        description="Possible until the event ends.",
        answer=serializers.RegistrationSerializer,
        body={"answers": {"food": "Vegan"}},
        example=REGISTERED,
        refusals=(Forbidden, errors.RegistrationNotFound, errors.RegistrationClosed),
    ),
    "PUT /events/{eventId}/registrations/{userId}/check-in": CHECK_IN,
    "DELETE /events/{eventId}/registrations/{userId}/check-in": replace(
        CHECK_IN, name="undoCheckIn", summary="Take a check-in back", description="", example=REGISTERED
    ),
    "GET /events/{eventId}/registrations": Call(
        name="listRegistrations",
        summary="List an event's registrations",
        description="One page: people with a seat, in order of registration, then the waitlist, in its order. "
        "As a sheet, all of them that one answer holds.",
        answer=serializers.AttendeeSerializer,
        many=True,
        example=[REGISTERED, WAITLISTED],
        examples=SHEET,
        refusals=(Forbidden, EventNotFound),
    ),
    "GET /events/{eventId}/waitlist": Call(
        name="listWaitlist",
        summary="List an event's waitlist",
        description="One page of the queue, in order, with positions. As a sheet, all of it that one answer holds.",
        answer=serializers.AttendeeSerializer,
        many=True,
        example=[WAITLISTED],
        examples=SHEET,
        refusals=(Forbidden, EventNotFound),
    ),
    "GET /users/{userId}/registrations": Call(
        name="listUserRegistrations",
        summary="List a user's registrations, with their events",
        answer=serializers.AttendanceSerializer,
        many=True,
        example=[{"registration": REGISTERED, "event": SPRING_PARTY}],
        refusals=(UserNotFound,),
    ),
    "GET /users/{userId}/waitlists": Call(
        name="listUserWaitlists",
        summary="List a user's waitlists, with their events",
        answer=serializers.AttendanceSerializer,
        many=True,
        example=[{"registration": WAITLISTED, "event": SPRING_PARTY}],
        refusals=(UserNotFound,),
    ),
    "GET /users/{userId}/calendar": Call(
        name="getCalendar",
        summary="Read a user's calendar, or its secret address",
        description="As text/calendar, the user's seats to come and those of the last 30 days. As JSON, the address "
        "under which calendar programs read the same without signing in.",
        answer=serializers.CalendarSerializer,
        example=ADDRESS,
        examples=CALENDAR,
        refusals=(UserNotFound,),
    ),
    "PUT /users/{userId}/calendar": Call(
        name="renewCalendar",
        summary="Make a new secret address of a user's calendar",
        description="The old one leads nowhere from then on.",
        answer=serializers.CalendarSerializer,
        example=ADDRESS,
        refusals=(UserNotFound,),
    ),
    "DELETE /users/{userId}/calendar": Call(
        name="revokeCalendar",
        summary="Take the secret address of a user's calendar away",
        status=204,
        refusals=(UserNotFound,),
    ),
    "GET /calendars/{token}.ics": Call(
        name="readCalendar",
        summary="Read a calendar by its secret address",
        examples=CALENDAR,
        refusals=(UserNotFound,),
    ),
    "POST /events/{eventId}/messages": Call(
        name="sendMessage",
        summary="Write to the people of an event",
        description="Each of them is mailed once. At most five messages a day for an event.",
        answer=serializers.MessageSentSerializer,
        status=202,
        body={"subject": "Bring a cup", "text": "There is tea, and there are no cups.", "to": "registered"},
        example={"message": "The message is on its way."},
        takes=("Idempotency-Key",),
        refusals=(Forbidden, EventNotFound, MailIsOff, TooManyMessages),
    ),
    "GET /events/{eventId}/history": Call(
        name="getEventHistory",
        summary="List the history of an event",
        description="One page, the newest entry first. Entries are kept for 400 days.",
        answer=serializers.HistorySerializer,
        many=True,
        example=[
            {
                "at": "2083-02-01T12:00:00.000000Z",
                "what": "registration.registered",
                "userId": "alice",
                "by": None,
                "detail": None,
            }
        ],
        refusals=(Forbidden, EventNotFound),
    ),
}
CALLS |= {
    old: replace(CALLS[now], name=f"{CALLS[now].name}OnOlderPath")
    for old, now in (
        ("POST /events/{eventId}/register", "POST /events/{eventId}/registrations"),
        ("DELETE /events/{eventId}/register/{userId}", "DELETE /events/{eventId}/registrations/{userId}"),
    )
}
