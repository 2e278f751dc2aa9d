"""Users as JSON."""

from rest_framework import serializers

from eventsite.web.bodies import Body
from eventsite.web.fields import IdField, TextField


class UserSerializer(Body):
    """A person who can register for events."""

    userId = IdField(source="user_id", required=False, help_text="Leave it out to get a UUID.")
    name = TextField(max_length=200, help_text="The name, for people to read.")
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)
