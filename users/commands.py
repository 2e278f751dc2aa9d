"""Commands of users to the apps that build on this one."""

from eventsite.commands import command


@command
def let_go(user_id: str, by: str | None) -> None:
    """Delete all data of a user, who will be deleted. It may be called again."""
    raise NotImplementedError
