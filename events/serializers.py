"""The serializers of events: bodies, query parameters and answers."""

from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import empty

from events.ledger.models import COUNTS, Seats
from events.models import LONGER, LOOK_BACK, STATUSES, Event, EventItem
from events.questions import CHOICE, KINDS
from events.whole import WholeEvent
from events.window import OF_THE_WINDOW, Times, lacking, wrong_times
from eventsite.auth.scope import NOTHING, Scope
from eventsite.web.bodies import OPTIONAL, Body, snake_case
from eventsite.web.fields import (
    DayField,
    IdField,
    MomentField,
    SwitchField,
    TextField,
    TimeField,
    TimeZoneField,
    UserIdField,
    WholeNumberField,
    WordField,
)
from eventsite.web.pagination import PageQuery

NO_QUESTION = ErrorDetail("This must be an object with questionId, label and kind.", code="invalid")
MISSING = ErrorDetail("This field is required.", code="required")
SAME_ID = ErrorDetail("Another question has this id.", code="invalid")
DISAGREE = ErrorDetail("hasWaitlist is another name of waitlistEnabled; the two disagree.", code="disagree")


class QuestionSerializer(Body):
    """A question that is asked at sign-up."""

    has_python_names = False  # it is stored as JSON

    questionId = IdField(help_text="By which answers name it.")
    label: Any = TextField(max_length=200, help_text="The question, for people to read.")
    kind = serializers.ChoiceField(choices=KINDS, help_text="Any text, one of the choices, or true for yes.")
    choices = serializers.ListField(
        child=TextField(max_length=100), max_length=20, **OPTIONAL, help_text="What a choice is made from."
    )
    required: Any = SwitchField(**OPTIONAL, help_text="Whether it has to be answered. Default: false.")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the question as the event stores it."""
        if not isinstance(data, dict):
            raise ValidationError(NO_QUESTION)
        sent = super().to_internal_value({name: value for name, value in data.items() if value is not None})
        needed = ("questionId", "label", "kind")
        if missing := [name for name in needed if name not in sent]:  # on an edit, the base demands no field
            raise ValidationError({name: [MISSING] for name in missing})
        choices = list(dict.fromkeys(sent.get("choices", ()))) if sent["kind"] == CHOICE else []
        if sent["kind"] == CHOICE and not choices:
            raise ValidationError({"choices": [ErrorDetail("Offer at least one answer.", code="required")]})
        return {**sent, "choices": choices, "required": sent.get("required", False)}


class ListedField(serializers.ListField):
    """A list that a form may send too, as the list that its page has made."""

    def get_value(self, dictionary: Any) -> Any:
        """Return the list. An empty one of a form is a list, too."""
        if isinstance(dictionary, QueryDict) and self.field_name in dictionary:
            return dictionary.getlist(str(self.field_name))
        return super().get_value(dictionary)


class QuestionsField(ListedField):
    """The questions of an event, each with another id."""

    child = QuestionSerializer()

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        questions: list[dict[str, Any]] = super().to_internal_value(data)
        ids = [question["questionId"] for question in questions]
        if twice := [place for place, one in enumerate(ids) if one in ids[:place]]:
            raise ValidationError({str(place): {"questionId": [SAME_ID]} for place in twice})
        return questions


MOST_ORGANIZERS = 20


class OrganizersField(ListedField):
    """The co-organizers of an event, each once."""

    child = UserIdField()

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class EventChangesSerializer(Body):
    """The fields of an event that its organizer sets."""

    title = TextField(max_length=200, help_text="What the event is called.")
    description = TextField(
        max_length=2000,
        allow_blank=True,
        min_length=0,
        style={"base_template": "textarea.html", "rows": 4},
        help_text="What it is about.",
    )
    date = DayField(help_text="The day it takes place, YYYY-MM-DD.")
    endDate = DayField(
        **OPTIONAL, help_text="The last day, YYYY-MM-DD, of an event of several days; endTime is then on that day."
    )
    startTime = TimeField(
        **OPTIONAL,
        help_text="When it begins, HH:MM, together with timeZone. Without it, the event takes the whole day.",
    )
    endTime = TimeField(**OPTIONAL, help_text="When it ends, HH:MM. An end before the start is on the next day.")
    timeZone = TimeZoneField(**OPTIONAL, help_text="The IANA name of the time zone of both, such as Europe/Berlin.")
    location = TextField(max_length=200, help_text="Where it takes place.")
    capacity = WholeNumberField(
        min_value=0, max_value=100_000, help_text="How many seats it has. With 0, everybody waits."
    )
    organizer = TextField(max_length=200, help_text="The name of the organizer, for people to read.")
    status = WordField(choices=STATUSES, help_text="Scheduled, published and active events take registrations.")
    registrationOpensAt = MomentField(
        **OPTIONAL, help_text="From when on people may sign up: RFC 3339 with an offset, answered in UTC to the second."
    )
    registrationClosesAt = MomentField(
        **OPTIONAL, help_text="Until when people may sign up, at most until the event ends."
    )
    unlisted = SwitchField(
        required=False, help_text="In no list but its organizers' and admins'; its address works. Default: false."
    )
    organizers = OrganizersField(
        **OPTIONAL,
        max_length=MOST_ORGANIZERS,
        help_text="The user ids of co-organizers, who may do what the owner may, but for deleting the event and "
        "changing this list. Shown to organizers and admins.",
    )
    questions = QuestionsField(**OPTIONAL, max_length=10, help_text="What is asked at sign-up.")
    waitlistEnabled = SwitchField(required=False, help_text="Whether people may wait when it is full. Default: false.")
    hasWaitlist = SwitchField(
        required=False, help_text="Another name of waitlistEnabled.", style={"template": "rest_framework/no_field.html"}
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the fields by their Python names, with one waitlist switch if its two names agree.

        On an edit they may disagree, and a time may be incomplete: `events.editing` checks them against the event.
        """
        wrong: dict[str, Any] = {}
        try:
            values: dict[str, Any] = super().to_internal_value(data)
        except ValidationError as error:
            if not isinstance(error.detail, dict) or "non_field_errors" in error.detail:
                raise
            wrong, values = dict(error.detail), {}
        if not self.partial:
            together = self._wrong_together(data, wrong) if wrong else wrong_times(values)
            wrong = {name: [ErrorDetail(sentence, "invalid")] for name, sentence in together.items()} | wrong
            wrong |= {"hasWaitlist": [DISAGREE]} if _disagree(data) else {}
        if wrong:
            raise ValidationError(wrong)
        if "has_waitlist" in values and not _disagree(data):
            values["waitlist_enabled"] = values.pop("has_waitlist")
        return values

    def _wrong_together(self, data: Any, wrong: dict[str, Any]) -> dict[str, str]:
        """Return the errors of the times in combination, besides those of single fields."""
        fields: dict[str, Any] = {str(field.source): (name, field) for name, field in self.fields.items()}
        times: dict[str, Any] = {source: fields[source] for source in (*Times._fields, *OF_THE_WINDOW)}
        if wrong.keys() & {name for name, _ in times.values()} or not data.get("date"):
            return lacking(*(name in wrong or data.get(name) for name in ("startTime", "endTime", "timeZone")))
        return wrong_times(
            {source: data.get(name) and field.run_validation(data[name]) for source, (name, field) in times.items()}
        )


class EventSerializer(EventChangesSerializer):
    """An event."""

    optional = ("organizers", "checkedInCount")

    eventId = IdField(required=False, help_text="Leave it out to get a UUID.")
    registeredCount = serializers.IntegerField(
        source="registered", read_only=True, min_value=0, help_text="How many people have a seat."
    )
    waitlistCount = serializers.IntegerField(
        source="waiting", read_only=True, min_value=0, help_text="How many people wait for a seat."
    )
    checkedInCount = serializers.IntegerField(
        read_only=True,
        min_value=0,
        help_text="How many people are checked in: for organizers and admins, of one event.",
    )
    organizerId = serializers.CharField(
        read_only=True, allow_null=True, help_text="The `sub` of the organizer who owns it; null in open mode."
    )
    createdAt = serializers.DateTimeField(read_only=True)
    updatedAt = serializers.DateTimeField(read_only=True)
    version = serializers.IntegerField(read_only=True, min_value=1, help_text="Grows by 1 with every edit; the ETag.")


def _disagree(data: Any) -> bool:
    """Return True if the two names of the waitlist switch have different values."""
    return [data.get(name) for name in ("waitlistEnabled", "hasWaitlist")] in ([True, False], [False, True])


def _sources() -> dict[str, tuple[type[EventItem], str]]:
    """Return the model and the attribute of each field of an answer, in order."""
    declared = EventSerializer._declared_fields
    names = {
        name: declared[name].source or snake_case(name) for name in ("eventId", *declared) if name != "checkedInCount"
    }
    names["hasWaitlist"] = "waitlist_enabled"
    of_event = Event.get_attributes()
    if lost := names.values() - of_event.keys() - {*COUNTS}:
        raise LookupError(f"Neither half of an event holds {', '.join(sorted(lost))}: see events/models.py.")
    return {name: (Event if source in of_event else Seats, source) for name, source in names.items()}


SOURCES = _sources()
FOR_ALL = {name: source for name, source in SOURCES.items() if name not in EventSerializer.optional}
"""The fields for all callers, without those for organizers and admins."""


def shape(whole_event: WholeEvent, *, own: Scope = NOTHING) -> dict[str, Any]:
    """Return an event as JSON. Of their `own` events, organizers and admins see more."""
    inside = own.reaches(whole_event.event)
    # The attributes are not used: they would take a fifth of the CPU time of a list.
    values = {Event: whole_event.event.attribute_values, Seats: whole_event.seats.attribute_values}
    shown = {name: values[half].get(source) for name, (half, source) in (SOURCES if inside else FOR_ALL).items()}
    checked_in = whole_event.event.checked_in if inside else None
    return shown if checked_in is None else shown | {"checkedInCount": checked_in}


class StatusesField(WordField):
    """One or more statuses: the parameter repeated, or the words separated by commas, or both."""

    iter_options = serializers.ChoiceField.iter_options  # without an empty one

    def get_value(self, dictionary: Any) -> Any:
        words = [word for text in dictionary.getlist(self.field_name) for word in text.split(",")]
        return words if any(words) else empty

    def to_internal_value(self, data: Any) -> Any:
        """Return the statuses, each once, in the order of `STATUSES`."""
        asked = {super(StatusesField, self).to_internal_value(word) for word in data}
        return [status for status in STATUSES if status in asked]


CANCEL = "cancel"
FROM = (
    f"The first day, inclusive. An event of several days, or past midnight, counts until its last day, if it began at "
    f"most {LOOK_BACK[LONGER]} days before."
)


class DeletionQuery(serializers.Serializer[Any]):
    registrations = WordField(
        choices=(CANCEL,), required=False, help_text="With cancel, all registrations end with the event."
    )


class EventsQuery(PageQuery):
    status = StatusesField(
        choices=STATUSES,
        required=False,
        style={"base_template": "select_multiple.html"},
        help_text="Only these statuses: repeat the parameter, or separate them by commas.",
    )
    organizerId = TextField(
        source="organizer_id", required=False, max_length=128, help_text="Only this organizer's; me means your own."
    )
    to = DayField(required=False, help_text="The last day, inclusive.")
    order = WordField(choices=("asc", "desc"), default="asc", help_text="By date, upwards or downwards.")

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which Python does not allow as a name, and put all in the order of reading."""
        fields = super().get_fields() | {"from": DayField(required=False, help_text=FROM)}
        return {name: fields[name] for name in ("status", "organizerId", "from", "to", "order", "limit", "cursor")}
