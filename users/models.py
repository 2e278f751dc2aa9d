"""The users table: one item per user, under `userId`."""

import secrets
import uuid

from django.conf import settings
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from eventsite.dynamodb.base_model import BaseModel
from eventsite.ids import is_id
from eventsite.text.mail_address import is_address

ADDRESS_STATE = ("email_verified", "confirmation", "email_problem")
"""The attributes of the address, which are reset with another one."""
TAG_BYTES = 3  # the four characters fit into an entry of the commit log


class User(BaseModel):
    """A person who can register for events."""

    class Meta(BaseModel.Meta):
        table_name = settings.USERS_TABLE
        billing_mode = "PAY_PER_REQUEST"

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    name = UnicodeAttribute()
    email = UnicodeAttribute(null=True)
    notify = BooleanAttribute(default=True)
    """True if the user gets e-mail about registrations."""
    calendar_secret = UnicodeAttribute(attr_name="calendarSecret", null=True)
    """The secret in the address of the user's calendar (`users.calendars`)."""
    email_verified = BooleanAttribute(attr_name="emailVerified", null=True)
    """True for a verified claim, an address of an admin or an import, and after the confirmation."""
    confirmation = UnicodeAttribute(null=True)
    """The secret in the link of the confirmation mail; None if no confirmation is pending."""
    email_problem = UnicodeAttribute(attr_name="emailProblem", null=True)
    """The reason to stop mail to the address: ``bounced`` or ``complained``, with the time."""
    created_at = UnicodeAttribute(attr_name="createdAt")
    tag = UnicodeAttribute(null=True, default_for_new=lambda: secrets.token_urlsafe(TAG_BYTES))
    """A random text that distinguishes the user from an earlier or later one of the same id."""

    def set_email(self, email: str | None, *, verified: bool) -> None:
        """Set the address. One that is not verified has to be confirmed where people sign in."""
        pending = email and not verified and settings.AUTH_MODE != "open"
        asked = self.confirmation if email == self.email else None
        self.confirmation = (asked or uuid.uuid4().hex) if pending else None
        self.email, self.email_problem = email, None
        self.email_verified = True if email and verified else None

    @property
    def has_verified_email(self) -> bool:
        """Whether the address is the user's. In open mode every address counts as verified."""
        return bool(self.email and (self.email_verified or settings.AUTH_MODE == "open"))

    @property
    def is_reachable(self) -> bool:
        """Whether mail may be sent to the address, and can arrive there."""
        return bool(self.has_verified_email and not self.email_problem and is_address(str(self.email)))

    @classmethod
    def find(cls, user_id: str) -> "User | None":
        """Return the user, read consistently, or None."""
        return cls.read(user_id) if is_id(user_id) else None
