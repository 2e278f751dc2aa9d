"""The rules of users: each id is taken once, and a list of them costs what its page costs."""

import uuid
from collections.abc import Iterable
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite import clock
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.dynamodb.transactions import Transaction
from eventsite.errors import Missing, Refused
from eventsite.ids import is_id
from users import index
from users.models import User
from users.signals import user_leaves

INDEXED = frozenset({"name", "email"})
"""By what people are found."""


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
    put(transaction, user)
    if keyed:
        keyed.remember(transaction, _drawn(user))
    failures = transaction.commit()
    if keyed and (earlier := keyed.found(failures)):
        return _as_created(user, earlier)
    if "user" in failures and failures["user"] != user.to_dynamodb_dict():  # else it is this very request that made it
        error = UserExists()
        if keyed and (earlier := keyed.refuse(error)):
            return _as_created(user, earlier)
        raise error
    return user


def put(transaction: Transaction, user: User) -> None:
    """Make a transaction create a user, unless the id is taken; the condition is called ``user``."""
    transaction.put("user", user, User.user_id.does_not_exist())
    index.follow(transaction, None, user)


def index_anew(user: User) -> bool:
    """Write what a user is found by, as stored users of an earlier release need it.

    Returns:
        False where the user was changed or deleted since they were read: whatever did it has written the index.
    """
    transaction = Transaction()
    transaction.check("user", User, user.user_id, _is_found_as(user))
    index.follow(transaction, None, user)
    return not transaction.commit()


def _drawn(user: User) -> dict[str, Any]:
    """Return what the answer to a keyed request keeps: nothing about the person, whom the same request names again."""
    return {name: user.to_dynamodb_dict()[name] for name in ("userId", "createdAt")}


def _as_created(user: User, drawn: dict[str, Any]) -> User:
    """Return the user whom an earlier copy of this very request created."""
    return User.parse(user.to_dynamodb_dict() | drawn)


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
    if changes.keys() & INDEXED:
        return _edit_indexed(user_id, changes)
    user = User(user_id)
    try:
        user.update(_actions(changes), condition=User.user_id.exists())
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        raise UserNotFound from error
    return user


@retry_on_conflict
def _edit_indexed(user_id: str, changes: dict[str, Any]) -> User:
    """Change a user by whose name or address they are found."""
    before = read(user_id)
    after = User(**before.attribute_values | changes)
    transaction = Transaction()
    transaction.update("user", User(user_id), _actions(changes), _is_found_as(before))
    index.follow(transaction, before, after)
    if transaction.commit():
        raise Conflict(immediate=True)
    return after


def _actions(changes: dict[str, Any]) -> list[Action]:
    attributes = {name: getattr(User, name) for name in changes}
    return [
        attributes[name].remove() if value is None else attributes[name].set(value) for name, value in changes.items()
    ]


def _is_found_as(user: User) -> Condition:
    """Nobody changed by what the user is found, since they were read."""
    email: Condition = User.email.does_not_exist() if user.email is None else User.email == user.email
    unchanged: Condition = (User.name == user.name) & email
    return unchanged


def delete(user_id: str) -> None:
    """Delete a user, after everything that is theirs. Safe to repeat when it was cut off.

    Raises: `UserNotFound`; `Unavailable`, with some of it done.
    """
    read(user_id)
    user_leaves.send(User, user_id=user_id)
    _delete(user_id)
    user_leaves.send(User, user_id=user_id)  # what came in between, when the user was still there


@retry_on_conflict
def _delete(user_id: str) -> None:
    user = User.find(user_id)
    if user is None:  # deleted by another request in between
        return
    transaction = Transaction()
    transaction.delete("user", User(user_id), _is_found_as(user))
    index.follow(transaction, user, None)
    if transaction.commit():
        raise Conflict(immediate=True)


def find_many(user_ids: Iterable[str]) -> dict[str, User]:
    """Users by their ids, those that exist, read in batches of a hundred (eventually consistent)."""
    keys = [(User, user_id) for user_id in sorted({*filter(is_id, user_ids)})]
    return {user.user_id: user for user in batch_get(*keys, consistent=False) if user}


def called(name: str, *, most: int = 10) -> list[User]:
    """Return people one of whose names begins so, in the order of that name."""
    return page(limit=most, after=None, name=name)[0]


def page(
    *, limit: int, after: str | None, name: str | None = None, email: str | None = None
) -> tuple[list[User], str | None]:
    """Return one page of users.

    Args:
        limit: The most users to return.
        after: The place that the last page ended with, as `place_of` has it.
        name: Only users one of whose names begins so, in the order of that name; else they are in the table's order.
        email: Only users with exactly this address.

    Returns:
        The users, and the place to continue after (None on the last page).
    """
    if email is not None:
        return _of_ids([one for one in index.by_address(email) if one > (after or "")], limit, name)
    if name is not None:
        ids, following = index.by_name(name, limit=limit, after=after)
        return _users(ids), following
    start = {"userId": {"S": after}} if after else None
    users = list(User.scan(limit=limit + 1, last_evaluated_key=start))
    return users[:limit], users[limit - 1].user_id if len(users) > limit else None


def place_of(user: User, *, name: str | None = None, email: str | None = None) -> str:
    """Return where a page of such a search continues that ends with this user."""
    return index.place_of(user, name) if name is not None and email is None else str(user.user_id)


def _of_ids(ids: list[str], limit: int, name: str | None) -> tuple[list[User], str | None]:
    users = [user for user in _users(ids[:limit]) if name is None or index.is_called(user, name)]
    return users, ids[limit - 1] if len(ids) > limit else None


def _users(ids: list[str]) -> list[User]:
    found = find_many(ids)
    return [found[user_id] for user_id in ids if user_id in found]
