"""Who may do what: the contract's table in code, and the questions that views ask of it.

A view names its call and gets the answer in one of three forms:

- whether the caller may make the call at all (`Permitted`, before the view runs);
- whose events it may touch (`scope`), which every rule asks for;
- whether a user is within reach (`reaches_user`).

With ``AUTH_MODE=open`` everybody may do everything.
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
    """How far a caller gets with a call; the values are the words of the contract's table."""

    NONE = "–"  # noqa: RUF001 (the contract's own dash)
    OWN = "own events"
    ONESELF = "oneself"
    ONESELF_OR_OWN = "oneself; anyone for own events"
    ALL = "yes"


@dataclass(frozen=True)
class Principal:
    """Whoever is signed in: the `sub` of the verified token, and the groups it names."""

    sub: str
    groups: frozenset[str] = frozenset()
    name: str = ""
    is_authenticated: ClassVar[bool] = True

    def __str__(self) -> str:
        return self.name or self.sub


SEE_EVENTS = "list and read events that are not drafts"
READ_DRAFT = "read a draft"
CREATE_EVENT = "create an event"
CHANGE_EVENT = "change or delete an event"
CREATE_USER = "create a user"
READ_USER = "read a user, their registrations and waitlists"
CHANGE_USER = "change or delete a user"
LIST_USERS = "list users"
FIND_USER = "find a user by exact e-mail"
REGISTER = "register, unregister"
LIST_REGISTRATIONS = "list an event's registrations and waitlist"

_NO, _OWN, _SELF, _BOTH, _ALL = Reach

ORGANIZERS, ADMINS = "Organizers", "Admins"
ANONYMOUS, SIGNED_IN, ORGANIZER, ADMIN = range(4)

TABLE: dict[str, tuple[Reach, Reach, Reach, Reach]] = {
    # call               anonymous  signed in  Organizers  Admins
    SEE_EVENTS:         (_ALL,      _ALL,      _ALL,       _ALL),
    READ_DRAFT:         (_NO,       _NO,       _OWN,       _ALL),
    CREATE_EVENT:       (_NO,       _NO,       _ALL,       _ALL),
    CHANGE_EVENT:       (_NO,       _NO,       _OWN,       _ALL),
    CREATE_USER:        (_NO,       _SELF,     _SELF,      _ALL),
    READ_USER:          (_NO,       _SELF,     _SELF,      _ALL),
    CHANGE_USER:        (_NO,       _SELF,     _SELF,      _ALL),
    LIST_USERS:         (_NO,       _NO,       _NO,        _ALL),
    FIND_USER:          (_NO,       _NO,       _ALL,       _ALL),
    REGISTER:           (_NO,       _SELF,     _BOTH,      _ALL),
    LIST_REGISTRATIONS: (_NO,       _NO,       _OWN,       _ALL),
}  # fmt: skip


def principal_of(request: Request) -> Principal | None:
    """Whoever sent the request; None if nobody is signed in."""
    user: Any = request.user  # the stubs know Django's own users only
    return user if isinstance(user, Principal) else None


def reach(call: str, principal: Principal | None) -> Reach:
    """How far a caller gets with a call of `TABLE`."""
    return Reach.ALL if settings.AUTH_MODE == "open" else TABLE[call][_column(principal)]


def _column(principal: Principal | None) -> int:
    if principal is None:
        return ANONYMOUS
    if ADMINS in principal.groups:
        return ADMIN
    return ORGANIZER if ORGANIZERS in principal.groups else SIGNED_IN


def scope(call: str, principal: Principal | None, user_id: str | None = None) -> Scope:
    """Whose events a caller may touch with a call, and whose drafts they may know of.

    `user_id` is the user whom the call is about, if any: where the caller reaches that user, the event may be
    anybody's.
    """
    reached = user_id is not None and reaches_user(call, principal, user_id)
    return Scope(touches=EVERYBODYS if reached else _whose(call, principal), drafts_of=_whose(READ_DRAFT, principal))


def _whose(call: str, principal: Principal | None) -> str:
    match reach(call, principal):
        case Reach.ALL:
            return EVERYBODYS
        case Reach.OWN | Reach.ONESELF_OR_OWN if principal:
            return principal.sub
    return NOBODYS


def reaches_user(call: str, principal: Principal | None, user_id: str) -> bool:
    """Whether a call reaches this user whatever the event: it is the caller, or the caller may reach everybody."""
    return reach(call, principal) is Reach.ALL or (principal is not None and principal.sub == user_id)


class Permitted(BasePermission):
    """Refuses, before the view runs, what the table grants in no case (401 or 403, as DRF tells them apart).

    Where the call is about an event, a signed-in caller's refusal is left to the rule: it alone knows whether the
    event is one that the caller may not even know of, which must look like one that does not exist.

    An action that has no row of the table is refused to everybody, in an open service too; `eventsite.checks` finds
    it at start.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller may make this call, as far as that can be told without looking at anything."""
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
