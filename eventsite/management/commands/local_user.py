"""``manage.py local_user alice --group Organizers``: create a user for a local run."""

from argparse import ArgumentParser
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from eventsite.auth.permissions import ADMINS, ORGANIZERS
from eventsite.errors import Unavailable
from eventsite.local import user_pool


class Command(BaseCommand):
    help = "Make a user of the local Cognito, and print a token and how to use it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user's name, for example alice")
        parser.add_argument("--group", action="append", default=[], choices=[ORGANIZERS, ADMINS], help="repeatable")

    def handle(self, *args: Any, name: str, group: list[str], **options: Any) -> None:
        if not settings.LOCAL_POOL:
            raise CommandError(
                "This is for local runs with the embedded engine: unset AWS_ENDPOINT_URL_DYNAMODB and "
                "COGNITO_USER_POOL_ID."
            )
        try:
            user_pool.add_user(name, group)
            token = user_pool.tokens(name)["AccessToken"]
        except Unavailable as error:
            raise CommandError(error.sentence) from error
        except (ClientError, BotoCoreError) as error:
            raise CommandError(f"The local Cognito refused: {error}") from error
        self.stdout.write(f"{name} can log in with the password {user_pool.PASSWORD} and has this token for an hour:\n")
        self.stdout.write(f"\n{token}\n\ncurl -H 'Authorization: Bearer {token}' http://127.0.0.1:8000/events\n")
