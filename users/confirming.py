"""Confirm an address by the signed link in a mail, which is valid for three days and works once."""

from django.conf import settings
from django.core import signing

from eventsite.dynamodb.writes import conditional_update
from users.models import User

SALT = "users.confirming"
VALID_SECONDS = 3 * 24 * 60 * 60


def url_for(user: User) -> str:
    """Return the link by which a user confirms the address that is pending."""
    token = signing.dumps([user.user_id, user.confirmation], salt=SALT)
    return f"{settings.PUBLIC_URL}/confirmations/{token}"


def confirm(token: str) -> bool:
    """Confirm the address of a token. Return False if the token is not valid any more."""
    pending = _read(token)
    if pending is None:
        return False
    user_id, confirmation = pending
    actions = [User.email_verified.set(True), User.confirmation.remove()]
    return conditional_update(User.named(user_id), actions, User.confirmation == confirmation).done


def _read(token: str) -> tuple[str, str] | None:
    try:
        user_id, confirmation = signing.loads(token, salt=SALT, max_age=VALID_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return user_id, confirmation


def is_pending(token: str) -> bool:
    """Return True if the token is still valid."""
    pending = _read(token)
    user = User.find(pending[0]) if pending else None
    return bool(pending and user and user.confirmation == pending[1])
