"""The paths of users."""

from django.urls import path

from users.views import UserViewSet, act, confirmation

ONE = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}
urlpatterns = [
    path("confirmations/<str:token>", confirmation, name="confirmation"),
    path("acting", act, name="acting"),
    UserViewSet.at("users", "users", "Users", get="list", post="create"),
    UserViewSet.at("users/<str:user_id>", "user", "User", **ONE),
]
