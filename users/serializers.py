"""Users as JSON."""

from typing import Any

from rest_framework import serializers

from eventsite.web.bodies import OPTIONAL, Body
from eventsite.web.fields import AddressField, SwitchField, TextField, UserIdField
from eventsite.web.pagination import PageQuery
from users.models import User


class UserChangesSerializer(Body):
    """The fields of a user that the user sets."""

    name = TextField(max_length=200, help_text="The name, for people to read.")
    email = AddressField(**OPTIONAL, help_text="Seen by the user, by admins, and by organizers of the user's events.")
    notify = SwitchField(
        required=False,
        help_text="Whether to send e-mail about the user's registrations. Messages of organizers and cancellations "
        "come in any case. Default: true.",
    )


class UserSerializer(UserChangesSerializer):
    """A person who can register for events."""

    userId = UserIdField(required=False, help_text="Leave it out to get a UUID.")
    emailVerified = serializers.BooleanField(
        read_only=True, help_text="Whether the address is known to be the user's. Only such an address is mailed."
    )
    createdAt = serializers.DateTimeField(read_only=True)

    def to_representation(self, user: User) -> dict[str, Any]:
        return shape(user) | {
            "emailVerified": user.has_verified_email,
            "notify": user.notify,
            "createdAt": user.created_at,
        }


class ListedUserSerializer(UserSerializer):
    """A user in a list. An organizer who searches by an address gets the id, the name and the address."""

    optional = ("emailVerified", "notify", "createdAt")


class UsersQuery(PageQuery):
    name = TextField(
        required=False,
        max_length=200,
        help_text="Only users one of whose names begins so, in the order of that name; case and accents do not matter.",
    )
    email = AddressField(required=False, help_text="Only users with exactly this address.")


def shape(user: User) -> dict[str, Any]:
    """Return the name and the address of a user as JSON."""
    return {"userId": user.user_id, "name": user.name, "email": user.email}
