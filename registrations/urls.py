"""The paths of registrations."""

from django.urls import path

from registrations.views import AttendanceViewSet, RegistrationViewSet

urlpatterns = [
    path(
        "events/<str:event_id>/registrations",
        RegistrationViewSet.as_view({"get": "list", "post": "create"}),
        name="registrations",
    ),
    path("events/<str:event_id>/waitlist", RegistrationViewSet.as_view({"get": "waitlist"}), name="waitlist"),
    path(
        "events/<str:event_id>/registrations/<str:user_id>",
        RegistrationViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="registration",
    ),
    path("events/<str:event_id>/register", RegistrationViewSet.as_view({"post": "create"}), name="register"),
    path(
        "events/<str:event_id>/register/<str:user_id>",
        RegistrationViewSet.as_view({"delete": "destroy"}),
        name="unregister",
    ),
    path(
        "users/<str:user_id>/registrations",
        AttendanceViewSet.as_view({"get": "registrations"}),
        name="user-registrations",
    ),
    path("users/<str:user_id>/waitlists", AttendanceViewSet.as_view({"get": "waitlists"}), name="user-waitlists"),
]
