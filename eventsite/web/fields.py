"""Serializer fields that take a value of the right JSON type, or refuse it with a sentence.

DRF's own fields convert: they take 12 for a title, "yes" for a boolean and full-width digits for a number. These do
not. Only an HTML form, where all values are text, may write numbers and booleans as ASCII text.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, ClassVar, NoReturn

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils import html
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from eventsite import ids
from eventsite.auth.permissions import ME
from eventsite.text import mail_address, truncate, visible
from eventsite.text.visible import OVERRIDES, UNSEEN

_NUMBER = re.compile(r"(-?[0-9]{1,20})(\.0{1,20})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
MOMENT_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_FITS = rf"[^\u0000{OVERRIDES}]*"
BLANK_PATTERN = rf"^{_FITS}$"  # what `TextField` accepts with `allow_blank`
TEXT_PATTERN = rf"^{_FITS}[^{UNSEEN}]{_FITS}$"
"""What `TextField` accepts otherwise. ECMA's regular expressions cannot express it beyond the first plane."""


def _is_form(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    """Return True if the values come from an HTML form or a query string, not from JSON."""
    return html.is_html_input(getattr(field.root, "initial_data", None))


class Quoting(serializers.Field[Any, Any, Any, Any]):
    """A field whose messages repeat only the beginning of the input."""

    def fail(self, key: str, **values: Any) -> NoReturn:
        short = {name: value if isinstance(value, int) else truncate(value) for name, value in values.items()}
        super().fail(key, **short)


class NoSurrogates(ProhibitSurrogateCharactersValidator):
    """DRF's validator, which examines every character, run only if there is a surrogate."""

    def __call__(self, value: Any) -> None:
        """Raise `ValidationError` if a text has a lone surrogate."""
        try:
            str(value).encode()
        except UnicodeEncodeError:
            super().__call__(value)


class TextField(Quoting, serializers.CharField):
    """A text of 1 to `max_length` characters, kept exactly as sent. One is visible, except with `allow_blank`."""

    default_error_messages = {
        "invalid": "This must be a text.",
        "override": "This has characters that turn the direction of the text around (U+202D, U+202E): leave them out.",
    }

    options: ClassVar[dict[str, Any]] = {}  # the default options of a subclass
    fits: Callable[[str], object] = staticmethod(lambda text: True)
    """Returns something true for a text of the right form; all others are refused by the message `form`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"trim_whitespace": False, "min_length": 1} | self.options | options))
        slow = ProhibitSurrogateCharactersValidator
        self.validators = [NoSurrogates() if type(one) is slow else one for one in self.validators]

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, str) and data and not self.allow_blank and visible.is_blank(data):
            self.fail("blank")
        if isinstance(data, str) and visible.overrides_direction(data):
            self.fail("override")
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not self.fits(data):
            self.fail("form")
        return data


class IdField(TextField):
    default_error_messages = {"form": "An id is 1 to 128 letters, digits, underscores or dashes."}
    options = {"max_length": 128}
    fits = staticmethod(ids.is_id)


class UserIdField(IdField):
    """The id that a user has or is to have, unlike `me` in a path."""

    default_error_messages = {"reserved": "In addresses, “me” is the user who is signed in. Choose another id."}

    def to_internal_value(self, data: Any) -> str:
        if (text := super().to_internal_value(data)) == ME:
            self.fail("reserved")
        return text


class AddressField(TextField):
    default_error_messages = {"form": "This must be an e-mail address."}
    options = {"max_length": 254, "style": {"input_type": "email"}}
    fits = staticmethod(mail_address.is_address)


class TimeField(TextField):
    """A time of day as ``HH:MM`` in ASCII digits."""

    default_error_messages = {"form": "This must be a time of day, as HH:MM."}
    options = {"style": {"input_type": "time"}}
    fits = staticmethod(re.compile(TIME_PATTERN).fullmatch)


class MomentField(TextField):
    """A moment of RFC 3339 with an offset, kept as text in UTC, to the second."""

    default_error_messages = {
        "form": "This must be a moment with an offset from UTC, such as 2027-01-31T10:00:00+01:00."
    }
    options = {"style": {"input_type": "datetime"}}
    fits = staticmethod(re.compile(MOMENT_PATTERN).fullmatch)

    def to_internal_value(self, data: Any) -> str:
        """Return the moment as ``2027-01-31T09:00:00Z``. Text order is time order."""
        text = super().to_internal_value(data)
        try:
            moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("form")
        return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


class TimeZoneField(TextField):
    """The name of a time zone in the IANA database, such as ``Europe/Berlin``."""

    default_error_messages = {"unknown": "This must be the IANA name of a time zone, such as Europe/Berlin."}

    def to_internal_value(self, data: Any) -> str:
        if (text := super().to_internal_value(data)) not in time_zones():
            self.fail("unknown")
        return text


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones of the package tzdata, the same on every machine."""
    from importlib import resources  # imported for the first request with a time zone

    names = resources.files("tzdata").joinpath("zones").read_text().split()
    return frozenset(names) - {"Factory"}  # the zone of a clock that was never set


def whole_number(text: str) -> int | None:
    """Return the integer that a form or a query spells, or None. At most 20 digits are read; ``5.0`` is 5."""
    number = _NUMBER.fullmatch(text)
    return int(number[1]) if number else None


class WholeNumberField(Quoting, serializers.IntegerField):
    """An integer. 5.0 is one, because JSON has a single kind of number. true and "5" are not."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and _is_form(self) and (number := whole_number(data)) is not None:
            return number
        if isinstance(data, bool) or not isinstance(data, int | float) or data != data // 1:
            self.fail("invalid")
        return int(data)


class SwitchField(Quoting, serializers.BooleanField):
    """true or false."""

    TEXTS = {"true": True, "false": False}

    def get_value(self, dictionary: Any) -> Any:
        """Return the value sent. An empty choice in a form counts as not sent."""
        value = dictionary.get(self.field_name, empty)
        return empty if value == "" and html.is_html_input(dictionary) else value

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, str) and _is_form(self) and data.lower() in self.TEXTS:
            return self.TEXTS[data.lower()]
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class DayField(Quoting, serializers.DateField):
    """A real calendar day as ``YYYY-MM-DD`` in ASCII digits, kept as text."""

    default_error_messages = {"invalid": "This must be a day of the calendar, as YYYY-MM-DD."}

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            self.fail("invalid")
        try:
            date.fromisoformat(value)
        except ValueError:
            self.fail("invalid")
        return value


class WordField(Quoting, serializers.ChoiceField):
    """One of a few words, in upper or lower case."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data.lower() not in self.choices:
            self.fail("invalid_choice", input=data)
        return data.lower()

    def iter_options(self) -> Any:
        """Return the options of the select. The first is empty if the word may be left out."""
        blank = [] if self.required else [("", "")]
        return serializers.ChoiceField(choices=[*blank, *self.choices.items()]).iter_options()
