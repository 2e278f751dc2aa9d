"""Who asks, as far as a rule must know it: whose events a caller may touch, and whose drafts they may see.

Every rule takes a scope and none has a default, so that a rule that is called without a thought for who asks does not
run at all.
"""

from dataclasses import dataclass

EVERYBODYS, NOBODYS = "*", ""
"""No organizer has either as an id: an id is never empty, and never has an asterisk."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What one caller reaches with one call; each field is an organizer's id, `EVERYBODYS` or `NOBODYS`."""

    touches: str
    """Whose events the call may be about."""
    drafts_of: str
    """Whose drafts it may know of."""

    def may_touch(self, organizer_id: str | None) -> bool:
        """Whether an event of this organizer (None: of nobody in particular) is within reach."""
        return self.touches == EVERYBODYS or (organizer_id is not None and organizer_id == self.touches)

    def may_see_draft(self, organizer_id: str | None) -> bool:
        """Whether a draft of this organizer exists as far as the caller is concerned."""
        return self.drafts_of == EVERYBODYS or (organizer_id is not None and organizer_id == self.drafts_of)


EVERYTHING = Scope(touches=EVERYBODYS, drafts_of=EVERYBODYS)
"""Commands, audits, an open service: whoever may do everything."""

NOTHING = Scope(touches=NOBODYS, drafts_of=NOBODYS)
"""A caller who organizes no event."""
