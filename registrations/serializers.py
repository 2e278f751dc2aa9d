"""Registrations as JSON."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.fields import empty

from events import questions
from events.serializers import EventSerializer
from events.serializers import shape as shape_event
from eventsite.auth.scope import NOTHING, Scope
from eventsite.text import humanize
from eventsite.web.bodies import Body, snake_case
from eventsite.web.fields import IdField, SwitchField, TextField, WordField
from eventsite.web.pagination import PageQuery
from eventsite.web.sheets import SEPARATORS
from registrations.models import ACTIVE, CANCELLED, EVERYBODY, REGISTERED, WAITLISTED, Registration
from registrations.reading.attendances import Attendance
from registrations.reading.lists import Attendee
from users.serializers import shape as shape_user

if TYPE_CHECKING:
    from registrations.notices.history import Line

STATUSES = (REGISTERED, WAITLISTED, CANCELLED)
LISTED = (ACTIVE, *STATUSES)
"""The values of the filter by status."""


class AnswersField(serializers.DictField):
    """The answers to the questions of an event, by the questions' ids."""

    default_error_messages = {"not_a_dict": questions.NOT_AN_OBJECT}

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"help_text": "The answers to the event's questions, by their ids."} | options))

    def get_value(self, dictionary: Any) -> Any:
        """Return the answers as they are: a form's are an object already, not JSON in a text."""
        return dictionary.get(self.field_name, empty)


class AnswersSerializer(Body):
    """Answers that are changed."""

    answers = AnswersField(help_text="Only those that change, by the questions' ids; null removes one.")


class RegistrationRequestSerializer(Body):
    """The user to register, with the answers to the event's questions."""

    userId = IdField(help_text="The user who wants a seat. A signed-in user may leave it out.")
    answers = AnswersField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """Return the fields. The user id is required where no one signs in."""
        fields = super().get_fields()
        fields["userId"].required = settings.AUTH_MODE == "open"
        return fields


class RegistrationSerializer(serializers.Serializer[Any]):
    """The registration of one user for one event."""

    registrationId = serializers.UUIDField()
    eventId = IdField()
    userId = IdField()
    status = serializers.ChoiceField(choices=STATUSES)
    registeredAt = serializers.DateTimeField(help_text="When the user asked.")
    promotedAt = serializers.DateTimeField(allow_null=True, help_text="When the user moved up from the waitlist.")
    cancelledAt = serializers.DateTimeField(allow_null=True)
    waitlistPosition = serializers.IntegerField(
        source="position", allow_null=True, min_value=1, help_text="1 is next; null unless waitlisted."
    )
    answers = serializers.DictField(help_text="The answers to the event's questions, by their ids.")
    checkedInAt = serializers.DateTimeField(allow_null=True, help_text="When the user came in.")


class PersonSerializer(serializers.Serializer[Any]):
    """An attendee as their organizers see them. Only the id is left once the user has been deleted."""

    userId = IdField()
    name = serializers.CharField(allow_null=True)
    email = serializers.EmailField(allow_null=True)


class AttendeeSerializer(RegistrationSerializer):
    """A registration, with the user on request."""

    user = PersonSerializer(required=False, help_text="Only with `?expand=user`.")
    optional = ("user",)


class RegisteredSerializer(RegistrationSerializer):
    """A new registration, with its outcome in a sentence."""

    message = serializers.CharField()


class LeftSerializer(serializers.Serializer[Any]):
    """The outcome of a cancellation."""

    message = serializers.CharField()
    promotedUser = IdField(allow_null=True, help_text="The user who got the seat; null if it is free.")


class CalendarSerializer(serializers.Serializer[Any]):
    """The secret address of a user's calendar."""

    url = serializers.URLField(
        allow_null=True, help_text="For calendar programs; null if there is none, and for admins."
    )


class AttendanceSerializer(serializers.Serializer[Any]):
    """A user's registration with the event it is for."""

    registration = RegistrationSerializer()
    event = EventSerializer()


def shape_attendance(attendance: Attendance, *, own: Scope = NOTHING) -> dict[str, Any]:
    """Return a registration with its event as JSON. Of their `own` events, organizers and admins see more."""
    registration, whole = attendance
    return {"registration": shape(registration), "event": shape_event(whole, own=own)}


SOURCES = {name: field.source or snake_case(name) for name, field in RegistrationSerializer._declared_fields.items()}
"""The attribute of a registration that holds each field of an answer, in order."""


def shape(registration: Registration) -> dict[str, Any]:
    """Return a registration as JSON."""
    values = vars(registration)
    return {name: values[source] for name, source in SOURCES.items()} | {"answers": registration.answers or {}}


def shape_attendee(attendee: Attendee) -> dict[str, Any]:
    registration, user = attendee
    person = shape_user(user) if user else {"userId": registration.user_id, "name": None, "email": None}
    return shape(registration) | {"user": person}


def shape_new(registration: Registration) -> dict[str, Any]:
    """Return a new registration as JSON, with its outcome in a sentence."""
    if registration.status == WAITLISTED:
        message = f"The event is full. You are number {humanize.number(registration.position or 0)} on the waitlist."
    else:
        message = "You have a seat."
    return shape(registration) | {"message": message}


class WaitlistQuery(PageQuery):
    expand = WordField(
        choices=("user",), required=False, help_text="With user, each entry has the name and the e-mail address."
    )
    bom = SwitchField(default=False, help_text="Whether a sheet begins with a byte order mark, for some spreadsheets.")
    separator = WordField(
        choices=SEPARATORS, default=",", help_text="The separator of the cells of a sheet: a comma or a semicolon."
    )


class RegistrationsQuery(WaitlistQuery):
    status = WordField(choices=LISTED, default=ACTIVE, help_text="Default: active, which is registered or waitlisted.")

    checkedIn = SwitchField(
        source="checked_in", required=False, help_text="Only people who are checked in, or only those who are not."
    )


class AttendancesQuery(PageQuery):
    status = WordField(choices=LISTED, default=ACTIVE, help_text="Default: active, which is registered or waitlisted.")


class MessageSerializer(Body):
    """A message of an organizer to the people of an event."""

    subject = TextField(max_length=200, help_text="The subject of the mail.")
    text = TextField(
        max_length=5000,
        style={"base_template": "textarea.html", "rows": 8},
        help_text="The message. Answers go to the organizer.",
    )
    to = WordField(
        choices=(REGISTERED, WAITLISTED, EVERYBODY),
        help_text="The recipients: people with a seat, people who wait, or both.",
    )


class MessageSentSerializer(serializers.Serializer[Any]):
    """The answer to a message that is on its way."""

    message = serializers.CharField(help_text="A sentence for people.")


class HistorySerializer(serializers.Serializer[Any]):
    """One entry of the history of an event."""

    at = serializers.DateTimeField()
    what = serializers.CharField(
        help_text="The type of the notice, or mail.sent, mail.bounced, mail.complained, message.sent."
    )
    userId = serializers.CharField(allow_null=True, help_text="The user of the entry; null once the user is deleted.")
    by = serializers.CharField(
        allow_null=True, help_text="The caller, where it is known; null for a promotion, which the service does."
    )
    detail = serializers.CharField(allow_null=True, help_text="A few words for people.")

    def to_representation(self, line: "Line") -> dict[str, Any]:
        return {"at": line.at, "what": line.what, "userId": line.user_id, "by": line.by, "detail": line.detail}
