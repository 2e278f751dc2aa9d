"""Events as JSON: what a body must be, what a query may ask, and what an answer looks like."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import empty

from events.ledger.models import Seats
from events.models import STATUSES, Event, EventItem
from events.normalize import OF_THE_WINDOW, wrong_times
from events.whole import WholeEvent
from events.window import Times, lacking
from eventsite.web.bodies import Body
from eventsite.web.fields import (
    DayField,
    IdField,
    MomentField,
    SwitchField,
    TextField,
    TimeField,
    TimeZoneField,
    WholeNumberField,
    WordField,
)
from eventsite.web.pagination import PageQuery

DISAGREE = ErrorDetail("hasWaitlist is another name of waitlistEnabled; the two disagree.", code="disagree")


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
        source="end_date",
        required=False,
        allow_null=True,
        help_text="The last day, YYYY-MM-DD, of an event of several days; endTime is then on that day.",
    )
    startTime = TimeField(
        source="start_time",
        required=False,
        allow_null=True,
        help_text="When it begins, HH:MM, together with timeZone. Without it, the event takes the whole day.",
    )
    endTime = TimeField(
        source="end_time",
        required=False,
        allow_null=True,
        help_text="When it ends, HH:MM. An end before the start is on the next day.",
    )
    timeZone = TimeZoneField(
        source="time_zone",
        required=False,
        allow_null=True,
        help_text="The IANA name of the time zone of both, such as Europe/Berlin.",
    )
    location = TextField(max_length=200, help_text="Where it takes place.")
    capacity = WholeNumberField(
        min_value=0, max_value=100_000, help_text="How many seats it has. With 0, everybody waits."
    )
    organizer = TextField(max_length=200, help_text="The name of the organizer, for people to read.")
    status = WordField(choices=STATUSES, help_text="Scheduled, published and active events take registrations.")
    registrationOpensAt = MomentField(
        source="registration_opens_at",
        required=False,
        allow_null=True,
        help_text="From when on people may sign up: RFC 3339 with an offset, answered in UTC to the second.",
    )
    registrationClosesAt = MomentField(
        source="registration_closes_at",
        required=False,
        allow_null=True,
        help_text="Until when people may sign up, at most until the event ends.",
    )
    waitlistEnabled = SwitchField(
        source="waitlist_enabled", required=False, help_text="Whether people may wait when it is full. Default: false."
    )
    hasWaitlist = SwitchField(
        source="has_waitlist",
        required=False,
        help_text="Another name of waitlistEnabled.",
        style={"template": "rest_framework/no_field.html"},
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The fields by their Python names, the two names of the waitlist switch made one where they agree.

        On an edit they may disagree, and a time may lack what the event has: `events.normalize` judges that.
        Raises: `ValidationError` with every wrong field at once.
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
        """Return what is wrong with the times beside fields that are wrong by themselves."""
        fields: dict[str, Any] = {str(field.source): (name, field) for name, field in self.fields.items()}
        times: dict[str, Any] = {source: fields[source] for source in (*Times._fields, *OF_THE_WINDOW)}
        if wrong.keys() & {name for name, _ in times.values()} or not data.get("date"):
            return lacking(*(name in wrong or data.get(name) for name in ("startTime", "endTime", "timeZone")))
        return wrong_times(
            {source: data.get(name) and field.run_validation(data[name]) for source, (name, field) in times.items()}
        )

    def to_representation(self, whole_event: WholeEvent) -> dict[str, Any]:
        return shape(whole_event)


class EventSerializer(EventChangesSerializer):
    """An event."""

    eventId = IdField(source="event_id", required=False, help_text="Leave it out to get a UUID.")
    registeredCount = serializers.IntegerField(
        source="registered", read_only=True, min_value=0, help_text="How many hold a seat."
    )
    waitlistCount = serializers.IntegerField(
        source="waiting", read_only=True, min_value=0, help_text="How many wait for one."
    )
    organizerId = serializers.CharField(
        source="organizer_id",
        read_only=True,
        allow_null=True,
        help_text="The `sub` of the organizer who owns it; null in open mode.",
    )
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)
    updatedAt = serializers.DateTimeField(source="updated_at", read_only=True)
    version = serializers.IntegerField(read_only=True, min_value=1, help_text="Grows by 1 with every edit; the ETag.")


def _disagree(data: Any) -> bool:
    """Whether the two names of the waitlist switch were sent with different values."""
    return [data.get(name) for name in ("waitlistEnabled", "hasWaitlist")] in ([True, False], [False, True])


def _sources() -> dict[str, tuple[type[EventItem], str]]:
    """For each field of an answer, in order: which half of the event holds it, and as what."""
    declared = EventSerializer._declared_fields
    names = {name: declared[name].source or name for name in ("eventId", *declared)} | {
        "hasWaitlist": "waitlist_enabled"
    }
    of_event, of_seats = Event.get_attributes(), Seats.get_attributes()
    if lost := names.values() - of_event.keys() - of_seats.keys():
        raise LookupError(f"Neither half of an event holds {', '.join(sorted(lost))}: see events/models.py.")
    return {name: (Event if source in of_event else Seats, source) for name, source in names.items()}


SOURCES = _sources()


def shape(whole_event: WholeEvent) -> dict[str, Any]:
    """An event as JSON."""
    # Not through the attributes: a fifth of a list's CPU would go there.
    values = {Event: whole_event.event.attribute_values, Seats: whole_event.seats.attribute_values}
    return {name: values[half].get(source) for name, (half, source) in SOURCES.items()}


class StatusesField(serializers.Field[Any, Any, Any, Any]):
    """One or more statuses: the parameter repeated, or the words separated by commas, or both."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"style": {"base_template": "select_multiple.html"}} | options))

    def iter_options(self) -> Any:
        return serializers.ChoiceField(choices=STATUSES).iter_options()

    def get_value(self, dictionary: Any) -> Any:
        words = [word for text in dictionary.getlist(self.field_name) for word in text.split(",")]
        return words if any(words) else empty

    def to_internal_value(self, data: list[str]) -> list[str]:
        """The statuses, each once, in the order of `STATUSES`."""
        one = WordField(choices=STATUSES)
        asked = {one.run_validation(word) for word in data}
        return [status for status in STATUSES if status in asked]

    def to_representation(self, value: Any) -> Any:
        """Never shown."""
        return value


CANCEL = "cancel"


class DeletionQuery(serializers.Serializer[Any]):
    """The query parameters of a deletion."""

    registrations = WordField(
        choices=(CANCEL,), required=False, help_text="With cancel, everybody's registration ends with the event."
    )


class EventsQuery(PageQuery):
    """The query parameters of the list of events."""

    status = StatusesField(
        required=False, help_text="Only these statuses: repeat the parameter, or separate them by commas."
    )
    organizerId = TextField(
        source="organizer_id", required=False, max_length=128, help_text="Only this organizer's; me means your own."
    )
    to = DayField(required=False, help_text="The last day, inclusive.")
    order = WordField(choices=("asc", "desc"), default="asc", help_text="By date, upwards or downwards.")

    def get_fields(self) -> dict[str, Any]:
        """Adds `from`, which Python does not allow as a name; all in the order in which people read them."""
        fields = super().get_fields() | {"from": DayField(required=False, help_text="The first day, inclusive.")}
        return {name: fields[name] for name in ("status", "organizerId", "from", "to", "order", "limit", "cursor")}
