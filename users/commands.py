"""Commands of users to the apps that build on this one."""

from eventsite.commands import command
from eventsite.dynamodb.steps import Steps


@command
def let_go(user_id: str, by: str | None) -> Steps[None]:
    """Delete all data of a user, who will be deleted. It may be called again."""
    raise NotImplementedError
