"""What a page and each of its parts can see: the view, the request and the user."""

from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request

from eventsite.auth import permissions
from eventsite.auth.permissions import Principal, Reach
from eventsite.pages import submissions


class Seen:
    """The base of pages and their parts: the view, the request and its user."""

    view: Any
    request: Request

    @property
    def kwargs(self) -> dict[str, str]:
        found: dict[str, str] = self.view.kwargs
        return found

    @property
    def principal(self) -> Principal | None:
        """The user, or None if the request is not signed in."""
        return permissions.principal_of(self.request)

    @property
    def submission(self) -> submissions.Submission | None:
        """The form that was sent, or None if the request is not one."""
        return submissions.of(self.request)

    def reach(self, call: str) -> Reach:
        return permissions.reach(call, self.principal)

    def owns(self, call: str, event: dict[str, Any]) -> bool:
        """Return True if the user may make a call of the permission table on an event of the API."""
        return permissions.scope(call, self.principal).reaches(_Shown(event))


@dataclass(frozen=True)
class _Shown:
    event: dict[str, Any]

    def is_run_by(self, user_id: str) -> bool:
        return user_id in (self.event["organizerId"], *self.event.get("organizers", ()))
