"""The service's own routes: the root and the health check."""

from django.conf import settings
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from eventsite.auth.permissions import SEE_EVENTS
from eventsite.dynamodb import health


class Root(viewsets.ViewSet):
    """Where to start."""

    permission_of_action = {"retrieve": SEE_EVENTS}
    links: tuple[str, ...] = ()
    """The names of the routes that it leads to."""

    def retrieve(self, request: Request) -> Response:
        """The service's name, version and the way to everything else."""
        links = {name: reverse(name, request=request) for name in self.links}
        return Response({"message": "Events, registrations and waitlists.", "version": settings.VERSION} | links)


class Health(viewsets.ViewSet):
    """Whether the service can do its work."""

    permission_of_action = {"retrieve": SEE_EVENTS}

    def retrieve(self, request: Request) -> Response:
        """200 when DynamoDB answers for every table, else 503."""
        tables = health.tables()
        healthy = all(state == "ok" for state in tables.values())
        data = {"status": "healthy" if healthy else "unhealthy", "version": settings.VERSION, "tables": tables}
        headers = {"Cache-Control": "no-store"} | ({} if healthy else {"Retry-After": "5"})
        return Response(data, 200 if healthy else 503, headers=headers)
