"""The users table: one item per user, under `userId`."""

from django.conf import settings
from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from eventsite.dynamodb.base_model import BaseModel
from eventsite.ids import is_id


class User(BaseModel):
    """A person who can register for events."""

    class Meta(BaseModel.Meta):
        table_name = settings.USERS_TABLE
        billing_mode = "PAY_PER_REQUEST"

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    name = UnicodeAttribute()
    email = UnicodeAttribute(null=True)
    notify = BooleanAttribute(default=True)
    """Whether to send e-mail about what happens to the user's registrations."""
    calendar_secret = UnicodeAttribute(attr_name="calendarSecret", null=True)
    """What the address of the user's calendar has in it (users.calendars)."""
    created_at = UnicodeAttribute(attr_name="createdAt")

    @classmethod
    def find(cls, user_id: str) -> "User | None":
        """The user, read consistently, or None."""
        if not is_id(user_id):
            return None
        try:
            return cls.get(user_id, consistent_read=True)
        except cls.DoesNotExist:
            return None
