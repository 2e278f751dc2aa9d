"""The paths of registrations."""

from django.urls import include, path

from registrations.views import AttendanceViewSet, CalendarViewSet, ContactViewSet, FeedViewSet, RegistrationViewSet

OF_AN_EVENT = [
    path("messages", ContactViewSet.as_view({"post": "create"}, name="Messages"), name="event-messages"),
    path("history", ContactViewSet.as_view({"get": "list"}, name="History"), name="event-history"),
    path(
        "registrations",
        RegistrationViewSet.as_view({"get": "list", "post": "create"}, name="Registrations"),
        name="registrations",
    ),
    path("waitlist", RegistrationViewSet.as_view({"get": "waitlist"}, name="Waitlist"), name="waitlist"),
    path(
        "registrations/<str:user_id>",
        RegistrationViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, name="Registration"
        ),
        name="registration",
    ),
    path(
        "registrations/<str:user_id>/check-in",
        RegistrationViewSet.as_view({"put": "check_in", "delete": "check_out"}, name="Check-in"),
        name="check-in",
    ),
    path("register", RegistrationViewSet.as_view({"post": "create"}, name="Register"), name="register"),
    path(
        "register/<str:user_id>",
        RegistrationViewSet.as_view({"delete": "destroy"}, name="Unregister"),
        name="unregister",
    ),
]
OF_A_USER = [
    path(
        "registrations",
        AttendanceViewSet.as_view({"get": "registrations"}, name="Registrations"),
        name="user-registrations",
    ),
    path("waitlists", AttendanceViewSet.as_view({"get": "waitlists"}, name="Waitlists"), name="user-waitlists"),
    path(
        "calendar",
        CalendarViewSet.as_view({"get": "retrieve", "put": "renew", "delete": "revoke"}, name="Calendar"),
        name="user-calendar",
    ),
]
urlpatterns = [
    path("events/<str:event_id>/", include(OF_AN_EVENT)),
    path("users/<str:user_id>/", include(OF_A_USER)),
    path("calendars/<str:token>.ics", FeedViewSet.as_view({"get": "retrieve"}, name="Calendar"), name="calendar"),
]
