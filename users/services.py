"""The rules of users. Ids are unique, and reading a list costs only the pages that are read."""

import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from eventsite import clock
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.idempotency import IdempotentRequest, write_once
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import (
    Check,
    Delete,
    Get,
    Put,
    Steps,
    Transact,
    Update,
    WaitForTransactions,
    retrying,
    run,
    transact_write,
)
from eventsite.dynamodb.writes import Failures, conditional_update
from eventsite.errors import Missing, Refused
from eventsite.ids import is_id
from users import commands, index
from users.models import ADDRESS_STATE, User
from users.signals import address_entered

INDEXED = frozenset({"name", "email"})
"""The attributes that the search uses."""


class UserNotFound(Missing):
    """No user has this id, or the caller may not see the user."""

    code = "user_not_found"
    detail = "There is no user with this id."


class UserExists(Refused):
    code = "user_exists"
    detail = "There is already a user with this id."


def create(
    *,
    name: str,
    email: str | None = None,
    notify: bool = True,
    user_id: str | None = None,
    email_verified: bool = False,
    keyed: IdempotentRequest | None = None,
) -> User:
    """Create a user, and return it, or the one that an earlier copy of the same request created.

    The id is a UUID by default. Unless the address is verified, the user gets a mail to confirm it.

    Raises:
        UserExists: If the id is taken.
        KeyReused: If the key came before with another body.
    """
    user = User(user_id or str(uuid.uuid4()), name=name, notify=notify, created_at=clock.now())
    user.set_email(email, verified=email_verified)
    stored = user.to_dynamodb_dict()

    def refusal(failures: Failures) -> UserExists | None:
        return UserExists() if failures.get("user", stored) != stored else None

    kept = write_once(creation(user), keyed, refusal=refusal, outcome=lambda: _drawn(stored))
    if kept is not None:
        return User.parse(stored | kept)
    _ask_to_confirm(user)
    return user


def _ask_to_confirm(user: User) -> None:
    if user.confirmation:
        address_entered.send_robust(User, user=user)


def creation(user: User) -> dict[str, Put | Delete]:
    """Return the parts of a transaction that create a user. Their condition has the label ``user``: the id is free."""
    return {"user": Put(user, User.user_id.does_not_exist()), **index.followed(None, user)}


def rebuild_index(user: User) -> bool:
    """Write the search index of a user who was stored by an earlier release.

    Returns:
        False if the user was changed or deleted since the read. The other request has written the index.
    """
    unchanged = Check(User.named(user.user_id), user.is_as_read(*INDEXED))
    return not transact_write({"user": unchanged, **index.followed(None, user)})


def _drawn(stored: RawItem) -> RawItem:
    """Return the part of a user to keep for repeated keyed requests. It has no personal data."""
    return {name: stored[name] for name in ("userId", "createdAt", "emailVerified") if name in stored}


def read(user_id: str) -> User:
    """Return the user with this id.

    Raises:
        UserNotFound: There is none.
    """
    user = User.find(user_id)
    if user is None:
        raise UserNotFound
    return user


def read_or_create(user_id: str, *, name: str, email: str = "", email_verified: bool = False) -> User:
    """Return the user with this id, created from the claims of the token if there is none yet."""
    user = User.find(user_id)
    if user:
        return user
    try:
        return create(name=name or user_id, email=email or None, email_verified=email_verified, user_id=user_id)
    except UserExists:  # made by another request in between
        return read(user_id)


def edit(user_id: str, changes: dict[str, Any], *, email_verified: bool = False) -> User:
    """Change a user: the changes have the fields by their Python names, and None removes a value.

    Raises:
        UserNotFound: If there is none.
    """
    if not is_id(user_id):
        raise UserNotFound
    if changes.keys() & INDEXED:
        user = run(retrying(partial(_edit_indexed, user_id, changes, email_verified)))
        if "email" in changes:
            _ask_to_confirm(user)
        return user
    written = conditional_update(User.named(user_id), User.updates(changes), User.user_id.exists())
    if not written.done or written.image is None:
        raise UserNotFound
    return User.parse(written.image)


def _edit_indexed(user_id: str, changes: dict[str, Any], email_verified: bool) -> Steps[User]:
    """Change the name or the address of a user, and the search index with it."""
    before = yield Get((User, user_id))
    if before is None:
        raise UserNotFound
    after = User(**before.attribute_values | changes | {"email": before.email})
    if "email" in changes and (email_verified or changes["email"] != before.email or not before.email_verified):
        after.set_email(changes["email"], verified=email_verified)
        changes = changes | {name: getattr(after, name) for name in ADDRESS_STATE}
    update = Update(User.named(user_id), User.updates(changes), before.is_as_read(*INDEXED))
    outcome = yield Transact({"user": update, **index.followed(before, after)})
    if not outcome.done:
        raise Conflict(immediate=not outcome.in_conflict)
    return after


def delete(user_id: str, *, by: str | None = None) -> None:
    """Delete a user, and the user's registrations and other data.

    An interrupted deletion can be repeated until nothing is left.

    Raises:
        UserNotFound: There is none, and nothing is left of one.
        Unavailable: DynamoDB did not answer. A part may be deleted.
    """
    run(delete_in_steps(user_id, partial(commands.give_up, user_id, by), partial(commands.let_go, user_id, by)))


def delete_in_steps(user_id: str, give_up: Callable[[], Steps[Any]], let_go: Callable[[], Steps[Any]]) -> Steps[None]:
    """Delete a user, as `delete`, in steps.

    Registrations are deleted last. A delayed request may still write a registration that it finds absent, but not for
    a user who is gone.

    Args:
        user_id: The id.
        give_up: Gives up the user's registrations.
        let_go: Deletes them and the user's other data, and gives up what was registered in between. It returns what
            it found, in a form that is true if there was a registration.
    """
    if not is_id(user_id):
        raise UserNotFound
    if (yield Get((User, user_id))) is None:
        if (yield from let_go()):
            return
        raise UserNotFound
    yield from give_up()
    yield from retrying(partial(_delete, user_id))
    yield WaitForTransactions()  # of registrations, which have checked the user
    yield from let_go()


def _delete(user_id: str) -> Steps[None]:
    user = yield Get((User, user_id))
    if user is None:  # deleted by another request in between
        return
    outcome = yield Transact(
        {"user": Delete(User.named(user_id), user.is_as_read(*INDEXED)), **index.followed(user, None)}
    )
    if not outcome.done:
        raise Conflict(immediate=not outcome.in_conflict)


def find_many(user_ids: Iterable[str]) -> dict[str, User]:
    """Return the existing users by their ids, read in batches of a hundred (eventually consistent)."""
    keys = [(User, user_id) for user_id in sorted({*filter(is_id, user_ids)})]
    return {user.user_id: user for user in batch_get(*keys, consistent=False) if user}


def called(name: str) -> list[User]:
    """Return the first ten users with a name that begins like this, in the order of that name."""
    return page(limit=10, after=None, name=name)[0]


def page(
    *, limit: int, after: str | None, name: str | None = None, email: str | None = None
) -> tuple[list[User], str | None]:
    """Return one page of users, and the place (`place_of`) to continue after, or None on the last page.

    With a `name`, it has only users with a name that begins like this, in the order of that name; with an `email`, only
    users with exactly this address.
    """
    if email is not None:
        ids = [one for one in index.by_address(email) if one > (after or "")]
        found = [user for user in _users(ids[:limit]) if name is None or index.is_called(user, name)]
        return found, ids[limit - 1] if len(ids) > limit else None
    if name is not None:
        ids, following = index.by_name(name, limit=limit, after=after)
        return _users(ids), following
    start = {"userId": {"S": after}} if after else None
    users = list(User.scan(limit=limit + 1, last_evaluated_key=start))
    return users[:limit], users[limit - 1].user_id if len(users) > limit else None


def place_of(user: User, *, name: str | None = None, email: str | None = None) -> str:
    """Return the place where the next page continues, after a page that ends with this user."""
    return index.place_of(user, name) if name is not None and email is None else str(user.user_id)


def _users(ids: list[str]) -> list[User]:
    found = find_many(ids)
    return [found[user_id] for user_id in ids if user_id in found]
