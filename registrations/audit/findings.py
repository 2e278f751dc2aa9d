"""The finding of an audit: one inconsistency, and its repair."""

from dataclasses import dataclass, field

from registrations.audit.repairs import Repair

Identity = tuple[str, str, object]


@dataclass(frozen=True)
class Finding:
    event_id: str
    kind: str
    sentence: str
    subject: str = ""
    """The user id, the ticket or the deleted incarnation in question."""
    mark: object = None
    """Distinguishes the finding from one of the same kind a moment earlier or later, which traffic may cause."""
    harmless: bool = False
    """True if no seat is affected, so that a line in the report is enough and no alarm is needed."""
    repair: Repair | None = field(default=None, repr=False, compare=False)
    """Repairs it if it is unchanged; None if an operator has to decide."""
    repaired: bool = False

    @property
    def identity(self) -> Identity:
        """Return the values that are equal in two snapshots of the same inconsistency."""
        return self.kind, self.subject, self.mark
