"""The scope of a caller: whose events the caller may touch, and whose drafts the caller may see.

Every rule takes a scope, and none has a default, so that no rule runs without a decision about its caller.
"""

from dataclasses import dataclass
from typing import Protocol

EVERYBODYS, NOBODYS = "*", ""  # values that are no id: an id is never empty, and never has an asterisk


class Organized(Protocol):
    """An event, or a part of one."""

    def is_run_by(self, user_id: str) -> bool:
        """Return True if the user is the owner or a co-organizer."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The scope of one call. Each field is an organizer's id, `EVERYBODYS` or `NOBODYS`."""

    touches: str  # the organizer whose own events the call may touch
    drafts_of: str  # the organizer whose drafts the caller may see

    def reaches(self, item: Organized) -> bool:
        """Return True if the caller may touch an event, as its owner or as a co-organizer."""
        return self.touches == EVERYBODYS or item.is_run_by(self.touches)

    def sees_draft(self, item: Organized) -> bool:
        """Return True if the caller may see the event while it is a draft."""
        return self.drafts_of == EVERYBODYS or item.is_run_by(self.drafts_of)

    def may_touch(self, organizer_id: str | None) -> bool:
        """Return True if the caller may touch an event as its owner. None matches no caller."""
        return self.touches == EVERYBODYS or (organizer_id is not None and organizer_id == self.touches)

    def sees_private_list_of(self, organizer_id: str) -> bool:
        """Return True if the caller may see the drafts and the unlisted events of an organizer."""
        return self.drafts_of in (EVERYBODYS, organizer_id)


EVERYTHING = Scope(touches=EVERYBODYS, drafts_of=EVERYBODYS)
"""The scope of commands, of audits, and of every caller in open mode."""

NOTHING = Scope(touches=NOBODYS, drafts_of=NOBODYS)  # the scope of a caller who organizes no event
