"""The paths of users."""

from django.urls import path

from users.views import UserViewSet, act, confirmation

urlpatterns = [
    path("confirmations/<str:token>", confirmation, name="confirmation"),
    path("acting", act, name="acting"),
    path("users", UserViewSet.as_view({"get": "list", "post": "create"}, name="Users"), name="users"),
    path(
        "users/<str:user_id>",
        UserViewSet.as_view(
            {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}, name="User"
        ),
        name="user",
    ),
]
