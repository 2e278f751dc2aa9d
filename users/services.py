"""The rules of users: each id is taken once, and a list of them costs what its page costs."""

import uuid
from collections.abc import Iterable
from itertools import islice
from typing import Any

from pynamodb.exceptions import UpdateError

from eventsite import clock
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import retry_on_conflict
from eventsite.dynamodb.transactions import Transaction
from eventsite.errors import Missing, Refused
from eventsite.ids import is_id
from users.models import User
from users.signals import user_leaves

SEARCHED = 5000
"""How many people a search by name looks through."""


class UserNotFound(Missing):
    """No user has this id, or the caller may not see who has."""

    code = "user_not_found"
    detail = "There is no user with this id."


class UserExists(Refused):
    """The id is taken."""

    code = "user_exists"
    detail = "There is already a user with this id."


@retry_on_conflict
def create(
    *,
    name: str,
    email: str | None = None,
    notify: bool = True,
    user_id: str | None = None,
    keyed: IdempotentRequest | None = None,
) -> User:
    """Create a user.

    Takes: the display name; the e-mail address, if any, and whether to write to it; the id, or None for a UUID; the
    caller's idempotency key, if any.
    Returns: the user; the one created before, if the same request was carried out already.
    Raises: `UserExists`; `idempotency.KeyReused`.
    """
    user = User(user_id or str(uuid.uuid4()), name=name, email=email, notify=notify, created_at=clock.now())
    transaction = Transaction()
    transaction.put("user", user, User.user_id.does_not_exist())
    if keyed:
        keyed.remember(transaction, user.to_dynamodb_dict())
    failures = transaction.commit()
    if keyed and (earlier := keyed.found(failures)):
        return User.parse(earlier)
    if "user" in failures and failures["user"] != user.to_dynamodb_dict():  # else it is this very request that made it
        error = UserExists()
        if keyed and (earlier := keyed.refuse(error)):
            return User.parse(earlier)
        raise error
    return user


def read(user_id: str) -> User:
    """The user with this id. Raises `UserNotFound`."""
    user = User.find(user_id)
    if user is None:
        raise UserNotFound
    return user


def read_or_create(user_id: str, *, name: str) -> User:
    """The user with this id, made now, of this name, if there was none: whoever is signed in exists."""
    user = User.find(user_id)
    if user:
        return user
    try:
        return create(name=name or user_id, user_id=user_id)
    except UserExists:  # made by another request in between
        return read(user_id)


def edit(user_id: str, changes: dict[str, Any]) -> User:
    """Change a user.

    Takes: the id; the changed fields by their Python names, None for what is to be removed.
    Returns: the user after the edit.
    Raises: `UserNotFound`.
    """
    if not is_id(user_id):
        raise UserNotFound
    user = User(user_id)
    attributes = {name: getattr(User, name) for name in changes}
    actions = [
        attributes[name].remove() if value is None else attributes[name].set(value) for name, value in changes.items()
    ]
    try:
        user.update(actions, condition=User.user_id.exists())
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        raise UserNotFound from error
    return user


def delete(user_id: str) -> None:
    """Delete a user, after everything that is theirs. Safe to repeat when it was cut off.

    Raises: `UserNotFound`; `Unavailable`, with some of it done.
    """
    read(user_id)
    user_leaves.send(User, user_id=user_id)
    User(user_id).delete()
    user_leaves.send(User, user_id=user_id)  # what came in between, when the user was still there


def find_many(user_ids: Iterable[str]) -> dict[str, User]:
    """Users by their ids, those that exist, read in batches of a hundred (eventually consistent)."""
    keys = [(User, user_id) for user_id in sorted({*filter(is_id, user_ids)})]
    return {user.user_id: user for user in batch_get(*keys, consistent=False) if user}


def called(name: str, *, most: int = 10) -> list[User]:
    """People whose name has these words in it, among the first `SEARCHED` of the table.

    There is no index of names: this is for those who run the service, who add somebody by hand.
    """
    sought = name.casefold()
    return list(islice((user for user in User.scan(limit=SEARCHED) if sought in user.name.casefold()), most))


def page(*, limit: int, after: str | None) -> tuple[list[User], str | None]:
    """One page of all users, in the table's own order.

    Takes: how many at most; the id the last page ended with.
    Returns: the users, and the id to continue after (None on the last page).
    """
    start = {"userId": {"S": after}} if after else None
    users = list(User.scan(limit=limit + 1, last_evaluated_key=start))
    return users[:limit], users[limit - 1].user_id if len(users) > limit else None
