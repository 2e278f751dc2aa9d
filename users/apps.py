"""Django's registration of this app."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"
    shell_names = ("users.models.User", "users.services as users")
