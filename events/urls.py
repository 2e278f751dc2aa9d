"""The paths of events."""

from events.views import EventViewSet

ONE = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}
urlpatterns = [
    EventViewSet.at("events", "events", "Events", get="list", post="create"),
    EventViewSet.at("events/<str:event_id>", "event", "Event", **ONE),
]
