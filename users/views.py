"""The routes of users."""

from functools import partial
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response

from eventsite import problems
from eventsite.auth import acting
from eventsite.auth.permissions import CHANGE_USER, CREATE_USER, FIND_USER, LIST_USERS, READ_USER, Principal
from eventsite.errors import Forbidden
from eventsite.pages.viewsets import BrowsableViewSet
from eventsite.web import pagination
from users import confirming, services
from users.models import User
from users.serializers import UserChangesSerializer, UserSerializer, UsersQuery, shape


class OfUserViewSet(BrowsableViewSet):
    """The base of the views of one user."""

    def check_reach(self, call: str) -> None:
        """Check that the caller reaches the user of the path with a call of the permission table.

        Raises:
            UserNotFound: The caller does not.
        """
        if not self.reaches_user(call, self.kwargs["user_id"]):
            raise services.UserNotFound

    def enter(self, call: str) -> User | None:
        """Check the reach, and return the user if the path has `me`. The user is created if necessary."""
        self.check_reach(call)
        return introduce(self.principal) if self.is_me else None

    def reaches_target(self) -> bool:
        return self.reaches_user(CHANGE_USER, self.kwargs.get("user_id", ""))


def introduce(principal: Principal | None) -> User | None:
    """Return the user of a signed-in caller, created from the token if necessary, or None for no caller."""
    return services.read_or_create(principal.sub, **principal.profile) if principal else None


class UserViewSet(OfUserViewSet):
    """Users: create, list, read, change and delete them."""

    serializers = {"create": UserSerializer, "update": UserChangesSerializer}
    queries = {"list": UsersQuery}
    permission_of_action = {
        "list": FIND_USER,
        "create": CREATE_USER,
        "retrieve": READ_USER,
        "update": CHANGE_USER,
        "destroy": CHANGE_USER,
    }

    def list(self, request: Request) -> Response:
        """Answer with one page of users: all of them, or those who have a name or an address."""
        query = self.query()
        sees_all = self.reaches_all(LIST_USERS)
        if not sees_all and ("email" not in query or "name" in query):
            raise Forbidden("Ask for the exact address: email=…")
        after = pagination.read_cursor(query.get("cursor"), request)
        sought: dict[str, Any] = {name: query.get(name) for name in ("name", "email")}
        found, following = services.page(limit=query["limit"], after=after, **sought)
        rows = found if sees_all else [user for user in found if user.has_verified_email]
        as_json = UserSerializer().to_representation if sees_all else shape
        return self.listed(as_json, rows, following, partial(services.place_of, **sought))

    def create(self, request: Request) -> Response:
        """Create a user. With an Idempotency-Key, a repeated request creates no second one."""
        fields = self._allowed(self.body())
        verified = self._knows(fields.get("email"))
        user = services.create(**fields, email_verified=verified, keyed=self.keyed("POST /users"))
        return self._answer(user, 201, Location=self.address("user", user.user_id))

    def retrieve(self, request: Request, user_id: str) -> Response:
        return self._answer(self.enter(READ_USER) or services.read(user_id))

    def update(self, request: Request, user_id: str) -> Response:
        """Change the fields that were sent, by PUT and PATCH alike."""
        changes = self.changes()
        self.enter(CHANGE_USER)
        return self._answer(services.edit(user_id, changes, email_verified=self._knows(changes.get("email"))))

    def destroy(self, request: Request, user_id: str) -> Response:
        """Delete a user, who gives up every seat and every place in a queue before."""
        self.check_reach(CHANGE_USER)
        services.delete(user_id, by=self.caller)
        return Response(status=204)

    def _knows(self, email: str | None) -> bool:
        """Return whether the caller may say whose address it is: an admin, or the user pool by a verified claim."""
        if self.principal is None or email is None:
            return False
        is_claim = self.principal.email_verified and email == self.principal.email
        return is_claim or self.reaches_all(CHANGE_USER)

    def _answer(self, user: User, status: int = 200, **headers: str) -> Response:
        return Response(UserSerializer(user).data, status, headers=headers)

    def _allowed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of the new user: the caller, or any user if the caller may create any.

        Raises:
            Forbidden: The caller may not create this user.
        """
        if self.reaches_all(CREATE_USER):
            return fields
        if fields.setdefault("user_id", self.caller) != self.caller:
            raise Forbidden("You may only create yourself: leave userId out, or send the sub of your token.")
        return fields


@csrf_exempt  # the token proves more than a cookie would, and people who follow it need not be signed in
def confirmation(request: HttpRequest, token: str) -> HttpResponse:
    """Answer the link in a confirmation mail. Only a click confirms, because programs that scan mail follow links."""
    from eventsite.pages import render  # few requests show a page

    if request.method not in ("GET", "HEAD", "POST"):
        return problems.refused_method(request, "GET, HEAD, POST", "Only GET and POST are possible here.")
    done = confirming.confirm(token) if request.method == "POST" else None
    is_over = done is False or (done is None and not confirming.is_pending(token))
    values = {"title": "Confirm your e-mail address", "done": done, "is_over": is_over}
    page = render.show_template(request, "users/confirmation.html", values)
    response = HttpResponse(page, status=410 if is_over else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


@csrf_exempt  # only an open service has this view; `eventsite.web.foreign` protects it
def act(request: HttpRequest) -> HttpResponse:
    """Let a browser act as an attendee of an open service (`userId`, by default any), or stop it (`stop`)."""
    if not acting.is_offered():
        raise Http404
    if request.method != "POST":
        return problems.refused_method(request, "POST", "Only POST is possible here.")
    answer = HttpResponseRedirect(_page_of_an_attendee(request.POST.get("next", "")), status=303)
    if "stop" in request.POST:
        acting.stop(answer)
    elif user := _attendee(request.POST.get("userId", "")):
        acting.start(answer, user.user_id, user.name)
    else:
        answer.headers["Location"] = reverse("users")
    return answer


def _attendee(user_id: str) -> User | None:
    """Return the user to act as: the named one, or any."""
    return services.read(user_id) if user_id else next(iter(services.page(limit=1, after=None)[0]), None)


def _page_of_an_attendee(page: str) -> str:
    """Return a page of this service that attendees see: the given one, if it is one, else the root."""
    try:
        route = resolve(page.removeprefix(settings.BASE_PATH).partition("?")[0]).url_name
    except Resolver404:
        route = None
    return page if route in ("events", "event") else reverse("root")


for view in (confirmation, act):
    vars(view)["for_everybody"] = True
