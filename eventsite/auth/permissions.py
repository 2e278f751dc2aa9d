"""The permission table of the contract, and its checks for views.

A view names its call of the table, and uses one of three checks:

- May the caller make the call at all? (`Permitted`, before the view runs)
- Whose events may the caller touch? (`scope`, an argument of every rule)
- Does the caller reach this user? (`reaches_user`)

With ``AUTH_MODE=open`` every caller may do everything, except a browser that acts as an attendee (`acting`).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from eventsite.auth.scope import EVERYBODYS, NOBODYS, Scope
from eventsite.errors import Forbidden


class Reach(Enum):
    """The reach of a caller with a call. The values are the words of the contract's table."""

    NONE = "–"  # noqa: RUF001 (the contract's own dash)
    OWN = "own events"
    OWNER = "as their owner"
    ONESELF = "oneself"
    ONESELF_OR_OWN = "oneself; anyone for own events"
    ALL = "yes"


@dataclass(frozen=True)
class Principal:
    """The signed-in caller: the `sub` of the verified token, and the groups it names."""

    sub: str
    groups: frozenset[str] = frozenset()
    name: str = ""
    email: str = ""
    email_verified: bool = False  # True if the user pool has verified the address
    is_authenticated: ClassVar[bool] = True

    def __str__(self) -> str:
        return self.name or self.sub

    @property
    def profile(self) -> dict[str, Any]:
        """The fields of the user that the token names."""
        return {"name": self.name, "email": self.email, "email_verified": self.email_verified}


SEE_EVENTS = "list and read events that are not drafts"
READ_DRAFT = "read a draft"
CREATE_EVENT = "create an event"
CHANGE_EVENT = "change an event, message its people, check in"
OWN_EVENT = "delete an event, change its co-organizers"
CREATE_USER = "create a user"
READ_USER = "read a user, their registrations and waitlists"
CHANGE_USER = "change or delete a user"
LIST_USERS = "list users"
FIND_USER = "find a user by exact e-mail"
REGISTER = "register, unregister"
LIST_REGISTRATIONS = "list an event's registrations and waitlist"

_NO, _OWN, _OWNER, _SELF, _BOTH, _ALL = Reach

ORGANIZERS, ADMINS = "Organizers", "Admins"
ME = "me"  # in a path, the id of the signed-in caller
ANONYMOUS, SIGNED_IN, ORGANIZER, ADMIN = range(4)

TABLE: dict[str, tuple[Reach, Reach, Reach, Reach]] = {
    # call               anonymous  signed in  Organizers  Admins
    SEE_EVENTS:         (_ALL,      _ALL,      _ALL,       _ALL),
    READ_DRAFT:         (_NO,       _NO,       _OWN,       _ALL),
    CREATE_EVENT:       (_NO,       _NO,       _ALL,       _ALL),
    CHANGE_EVENT:       (_NO,       _NO,       _OWN,       _ALL),
    OWN_EVENT:          (_NO,       _NO,       _OWNER,     _ALL),
    CREATE_USER:        (_NO,       _SELF,     _SELF,      _ALL),
    READ_USER:          (_NO,       _SELF,     _SELF,      _ALL),
    CHANGE_USER:        (_NO,       _SELF,     _SELF,      _ALL),
    LIST_USERS:         (_NO,       _NO,       _NO,        _ALL),
    FIND_USER:          (_NO,       _NO,       _ALL,       _ALL),
    REGISTER:           (_NO,       _SELF,     _BOTH,      _ALL),
    LIST_REGISTRATIONS: (_NO,       _NO,       _OWN,       _ALL),
}  # fmt: skip


def principal_of(request: Request) -> Principal | None:
    """Return the caller, or None if the caller is not signed in."""
    user: Any = request.user  # the stubs know Django's own users only
    return user if isinstance(user, Principal) else None


def reach(call: str, principal: Principal | None) -> Reach:
    is_open = settings.AUTH_MODE == "open" and principal is None  # a principal acts as an attendee there
    return Reach.ALL if is_open else TABLE[call][_column(principal)]


def _column(principal: Principal | None) -> int:
    if principal is None:
        return ANONYMOUS
    if ADMINS in principal.groups:
        return ADMIN
    return ORGANIZER if ORGANIZERS in principal.groups else SIGNED_IN


def scope(call: str, principal: Principal | None, user_id: str | None = None) -> Scope:
    """Return whose events a caller may touch with a call, and whose drafts the caller may see.

    Args:
        call: A row of `TABLE`.
        principal: The caller; None if not signed in.
        user_id: The user that the call concerns, if any. A caller who reaches that user may touch any event.
    """
    reached = user_id is not None and reaches_user(call, principal, user_id)
    return Scope(touches=EVERYBODYS if reached else _whose(call, principal), drafts_of=_whose(READ_DRAFT, principal))


def _whose(call: str, principal: Principal | None) -> str:
    match reach(call, principal):
        case Reach.ALL:
            return EVERYBODYS
        case Reach.OWN | Reach.OWNER | Reach.ONESELF_OR_OWN if principal:
            return principal.sub
    return NOBODYS


def reaches_user(call: str, principal: Principal | None, user_id: str) -> bool:
    """Return True if a call reaches this user for any event: the caller is the user, or reaches all."""
    return reach(call, principal) is Reach.ALL or (principal is not None and principal.sub == user_id)


class Permitted(BasePermission):
    """Refuse calls that the table grants in no case, before the view runs (401 or 403, as DRF distinguishes them).

    For a call that concerns an event, the rule refuses a signed-in caller: only the rule knows whether the event is
    a draft of another organizer, which must look like an event that does not exist.

    An action without a row in the table is refused to every caller, also in open mode. `eventsite.management.checks`
    reports it at start.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        action = getattr(view, "action", None)
        if action == "metadata" or (action is None and hasattr(view, "action_map")):
            return True  # OPTIONS, and methods that the view does not have: neither reaches anything
        call = getattr(view, "permission_of_action", {}).get(action)
        if call not in TABLE:
            raise Forbidden
        principal = principal_of(request)
        if reach(call, principal) is not Reach.NONE:
            return True
        return principal is not None and "event_id" in view.kwargs
