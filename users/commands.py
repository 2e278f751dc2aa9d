"""Commands of users to the apps that build on this one."""

from eventsite.commands import command
from eventsite.dynamodb.steps import Steps


@command
def give_up(user_id: str, by: str | None) -> Steps[None]:
    """Give up the registrations of a user who will be deleted. It may be called again."""
    raise NotImplementedError


@command
def let_go(user_id: str, by: str | None) -> Steps[bool]:
    """Delete all data of a user who was deleted, and return True if a registration was found. It may be repeated."""
    raise NotImplementedError
