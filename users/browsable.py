"""The pages of users: the list of people, and the profile of one user."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.utils.functional import cached_property

from eventsite.auth import acting, login
from eventsite.auth.permissions import CREATE_USER, LIST_USERS, ME, Reach
from eventsite.errors import DomainError
from eventsite.pages import page as pages
from eventsite.pages import paging
from eventsite.pages.forms import Form
from eventsite.pages.page import Link, Page, Question, Seen
from eventsite.text import humanize
from users import services
from users.serializers import UserSerializer

HELPS = {
    "email": "Seen by the person, by admins, and by the organizers of events that the person signs up for.",
    "userId": "Letters, digits and dashes. Leave it empty to get one.",
}
OWN_LABELS = {"notify": "E-mail me when I get a seat, or when an event is moved or cancelled"}
OWN_HELPS = {"email": "Seen by you, by admins, and by the organizers of events that you sign up for."}
LABELS = {
    "name": "Name",
    "email": "E-mail",
    "notify": "E-mail about seats, and about moved or cancelled events",
    "userId": "Id",
}


@pages.navigation(30)
def people(seen: Seen) -> Link | None:
    return None if seen.reach(LIST_USERS) is Reach.NONE else Link("People", pages.url("users"))


@pages.navigation(40)
def oneself(seen: Seen) -> Link | None:
    return Link("My profile", pages.url("user", "me")) if seen.principal else None


class UsersPage(Page, routes=["users"]):
    template = "users/list.html"
    name = "People"
    labels, helps = LABELS, HELPS
    field_of_code = {"user_exists": "userId"}

    @staticmethod
    def defaults(query: Any) -> dict[str, str]:
        """Return the search for `q`: by address if it contains an @, else by name."""
        sought = query.get("q", "").strip()
        return {"email" if "@" in sought else "name": sought} if sought else {}

    def title(self, data: Any) -> str:
        return "New person" if self.request.method == "POST" else self.name

    def trail(self) -> list[Link]:
        return [Link("People", pages.url("users"))] if self.request.method == "POST" else []

    def context(self, data: Any) -> dict[str, Any]:
        rows = [self._row(user) for user in data]
        new = self.form("POST") if self.reach(CREATE_USER) is Reach.ALL else None
        steps = paging.steps(self.request, self.response)
        asked = self.request.query_params
        sought = next(filter(None, (asked.get(name, "").strip() for name in ("q", "name", "email"))), "")
        return {"rows": rows, "steps": steps, "range": steps.range(len(data)), "new": new, "sought": sought}

    def _row(self, user: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
        """Return the address of a person, the person, and the day of the first login.

        Organizers find people by address, and see neither their pages nor the day.
        """
        if self.reach(LIST_USERS) is not Reach.ALL:
            return "", user, ""
        return pages.url("user", user["userId"]), user, humanize.moment(user["createdAt"])

    def form(self, method: str) -> Form | None:
        return self.make_form("POST", "Create person", {"notify": True}) if method == "POST" else None

    def outcome(self, data: Any) -> str:
        return f"{data['name']} was added."

    def next_url(self, data: Any) -> str:
        return pages.url("user", data["userId"]) if data else super().next_url(data)


def names(user_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of users by their ids. A deleted user is shown by the id."""
    ids = list(user_ids)
    found = services.find_many(ids)
    return {user_id: found[user_id].name if user_id in found else user_id for user_id in ids}


def name_of(user_id: str) -> str:
    return names([user_id])[user_id]


class OfUser(Seen):
    """The common base of pages of one person."""

    @property
    def user_id(self) -> str:
        return self.kwargs["user_id"]

    @property
    def is_own(self) -> bool:
        """True if the person is the signed-in user, or if `me` is still in the path."""
        return self.user_id == ME or (self.principal is not None and self.user_id == self.principal.sub)

    @property
    def named(self) -> str:
        """The person in an address of this service: `me` for the signed-in user."""
        return ME if self.is_own else self.user_id

    @cached_property
    def called(self) -> str:
        return name_of(self.user_id)


class UserPage(OfUser, Page, routes=["user"]):
    template = "users/user.html"
    name = "Person"
    signed_out = "Log in to see your profile."
    labels, helps = {name: LABELS[name] for name in ("name", "email", "notify")}, HELPS

    def title(self, data: Any) -> str:
        return str(data.get("name") or ("My profile" if self.is_own else self.name))

    def trail(self) -> list[Link]:
        return [] if self.reach(LIST_USERS) is Reach.NONE else [Link("People", pages.url("users"))]

    def context(self, data: Any) -> dict[str, Any]:
        return {
            "since": humanize.moment(data["createdAt"]),
            "act": self._act(data) if acting.is_offered() and not self.principal else None,
            "edit": self._edit(data).show_before() if "put" in self.view.action_map else None,
            "delete": self._delete(data) if "delete" in self.view.action_map else None,
        }

    def _edit(self, data: Any = None) -> Form:
        made = self.make_form("PUT", "Save", data)
        for one in made.fields if self.is_own else ():
            one.label = OWN_LABELS.get(one.name, one.label)
            one.help = OWN_HELPS.get(one.name, one.help)
        return made

    def _delete(self, data: Any) -> Form:
        label = "Delete my account" if self.is_own else "Delete"
        return Form(self.request.path, label, "DELETE", hidden={"_was": data["name"]}, look="risky")

    def _act(self, data: Any) -> Form:
        return Form(pages.url("acting"), f"Act as {data['name']}", hidden={"userId": data["userId"]}, look="plain")

    def form(self, method: str) -> Form | None:
        return self._edit() if method == "PUT" else None

    @cached_property
    def person(self) -> dict[str, Any] | None:
        try:
            return dict(UserSerializer(services.read(self.user_id)).data)
        except DomainError:
            return None

    def question(self) -> Question | None:
        if self.request.method != "DELETE" or not self.person:
            return None
        facts = [
            "Every seat and every place on a waitlist is given up, and the history is deleted.",
            "This cannot be undone.",
        ]
        if self.is_own:
            return Question("Delete your account?", "Delete my account", facts)
        return Question(f"Delete {self.person['name']}?", "Delete", facts)

    def translate(self, values: Any) -> None:
        """Send the address again if the form is unchanged, which requests another confirmation mail."""
        typed = self.submission.sent.get("email") if self.submission else None
        if not values and typed and self.request.method == "PUT":
            values["email"] = typed

    def outcome(self, data: Any) -> str:
        was = self.submission.sent.get("_was") if self.submission else ""
        if self.request.method == "DELETE":
            return "Your account is deleted." if self.is_own else f"{was or 'The person'} was deleted."
        sent = self.submission.values() if self.submission else {}
        if "email" in sent and data.get("email") and not data.get("emailVerified"):
            return "Saved. A mail is on its way: follow its link to confirm the address."
        return "Saved."

    def done(self, answer: HttpResponse) -> None:
        """Sign out a user who deleted the own account. The next request would create it again otherwise."""
        if self.request.method == "DELETE" and self.is_own:
            login.end_session(self.request._request)
            acting.stop(answer)

    def next_url(self, data: Any) -> str:
        if self.request.method != "DELETE" or data == {}:
            return self.request.path
        return pages.url("root" if self.is_own or self.reach(LIST_USERS) is Reach.NONE else "users")
