"""The paths of registrations."""

from django.urls import include, path

from registrations.views import AttendanceViewSet, CalendarViewSet, ContactViewSet, FeedViewSet, RegistrationViewSet

ONE, CHECK_IN = "registrations/<str:user_id>", "registrations/<str:user_id>/check-in"
OF_AN_EVENT = [
    ContactViewSet.at("messages", "event-messages", "Messages", post="create"),
    ContactViewSet.at("history", "event-history", "History", get="list"),
    RegistrationViewSet.at("registrations", "registrations", "Registrations", get="list", post="create"),
    RegistrationViewSet.at("waitlist", "waitlist", "Waitlist", get="waitlist"),
    RegistrationViewSet.at(
        ONE, "registration", "Registration", get="retrieve", patch="partial_update", delete="destroy"
    ),
    RegistrationViewSet.at(CHECK_IN, "check-in", "Check-in", put="check_in", delete="check_out"),
    RegistrationViewSet.at("register", "register", "Register", post="create"),
    RegistrationViewSet.at("register/<str:user_id>", "unregister", "Unregister", delete="destroy"),
]
OF_A_USER = [
    AttendanceViewSet.at("registrations", "user-registrations", "Registrations", get="registrations"),
    AttendanceViewSet.at("waitlists", "user-waitlists", "Waitlists", get="waitlists"),
    CalendarViewSet.at("calendar", "user-calendar", "Calendar", get="retrieve", put="renew", delete="revoke"),
]
urlpatterns = [
    path("events/<str:event_id>/", include(OF_AN_EVENT)),
    path("users/<str:user_id>/", include(OF_A_USER)),
    FeedViewSet.at("calendars/<str:token>.ics", "calendar", "Calendar", get="retrieve"),
]
