"""The paths of registrations."""

from django.urls import path

from registrations.views import AttendanceViewSet, CalendarViewSet, ContactViewSet, FeedViewSet, RegistrationViewSet

urlpatterns = [
    path(
        "events/<str:event_id>/messages",
        ContactViewSet.as_view({"post": "create"}, name="Messages"),
        name="event-messages",
    ),
    path(
        "events/<str:event_id>/history",
        ContactViewSet.as_view({"get": "list"}, name="History"),
        name="event-history",
    ),
    path(
        "events/<str:event_id>/registrations",
        RegistrationViewSet.as_view({"get": "list", "post": "create"}, name="Registrations"),
        name="registrations",
    ),
    path(
        "events/<str:event_id>/waitlist",
        RegistrationViewSet.as_view({"get": "waitlist"}, name="Waitlist"),
        name="waitlist",
    ),
    path(
        "events/<str:event_id>/registrations/<str:user_id>",
        RegistrationViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, name="Registration"
        ),
        name="registration",
    ),
    path(
        "events/<str:event_id>/registrations/<str:user_id>/check-in",
        RegistrationViewSet.as_view({"put": "check_in", "delete": "check_out"}, name="Check-in"),
        name="check-in",
    ),
    path(
        "events/<str:event_id>/register",
        RegistrationViewSet.as_view({"post": "create"}, name="Register"),
        name="register",
    ),
    path(
        "events/<str:event_id>/register/<str:user_id>",
        RegistrationViewSet.as_view({"delete": "destroy"}, name="Unregister"),
        name="unregister",
    ),
    path(
        "users/<str:user_id>/registrations",
        AttendanceViewSet.as_view({"get": "registrations"}, name="Registrations"),
        name="user-registrations",
    ),
    path(
        "users/<str:user_id>/waitlists",
        AttendanceViewSet.as_view({"get": "waitlists"}, name="Waitlists"),
        name="user-waitlists",
    ),
    path(
        "users/<str:user_id>/calendar",
        CalendarViewSet.as_view({"get": "retrieve", "put": "renew", "delete": "revoke"}, name="Calendar"),
        name="user-calendar",
    ),
    path("calendars/<str:token>.ics", FeedViewSet.as_view({"get": "retrieve"}, name="Calendar"), name="calendar"),
]
