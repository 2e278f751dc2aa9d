"""The secret address of a user's calendar. It needs no sign-in, and leads to the calendar until it is revoked."""

import secrets
from hmac import compare_digest

from users import services
from users.models import User
from users.services import UserNotFound

SECRET = 32  # hexadecimal digits: 128 bits, which nobody guesses


def token_of(user: User) -> str | None:
    """Return the token in the address of a user's calendar, or None where there is no address."""
    return f"{user.calendar_secret}{user.user_id}" if user.calendar_secret else None


def renew(user_id: str) -> User:
    """Create a new address of a user's calendar. The old address stops working."""
    return services.edit(user_id, {"calendar_secret": secrets.token_hex(SECRET // 2)})


def revoke(user_id: str) -> None:
    services.edit(user_id, {"calendar_secret": None})


def owner_of(token: str) -> User:
    """Return the user of a calendar's token, or raise `UserNotFound`."""
    secret, user_id = token[:SECRET], token[SECRET:]
    user = User.find(user_id)
    if user is None or not user.calendar_secret or not compare_digest(user.calendar_secret.encode(), secret.encode()):
        raise UserNotFound("There is no calendar at this address any more. Its owner can make a new one.")
    return user
