"""The scope of a caller: whose events the caller may touch, and whose drafts the caller may see.

Every rule takes a scope, and none has a default, so that no rule runs without a decision about its caller.
"""

from dataclasses import dataclass

EVERYBODYS, NOBODYS = "*", ""
"""No organizer has either as an id: an id is never empty, and never has an asterisk."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a caller reaches with one call. Each field is an organizer's id, `EVERYBODYS` or `NOBODYS`."""

    touches: str
    """The organizer whose events the call may touch."""
    drafts_of: str
    """The organizer whose drafts the caller may see."""

    def may_touch(self, organizer_id: str | None) -> bool:
        """Return True if an event of this organizer (None: it has no owner) is within reach."""
        return self.touches == EVERYBODYS or (organizer_id is not None and organizer_id == self.touches)

    def may_see_draft(self, organizer_id: str | None) -> bool:
        """Return True if the caller may see a draft of this organizer."""
        return self.drafts_of == EVERYBODYS or (organizer_id is not None and organizer_id == self.drafts_of)


EVERYTHING = Scope(touches=EVERYBODYS, drafts_of=EVERYBODYS)
"""The scope of commands, of audits, and of every caller in open mode."""

NOTHING = Scope(touches=NOBODYS, drafts_of=NOBODYS)
"""A caller who organizes no event."""
