"""The paths of events."""

from django.urls import path

from events.views import EventViewSet

urlpatterns = [
    path("events", EventViewSet.as_view({"get": "list", "post": "create"}, name="Events"), name="events"),
    path(
        "events/<str:event_id>",
        EventViewSet.as_view(
            {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}, name="Event"
        ),
        name="event",
    ),
]
