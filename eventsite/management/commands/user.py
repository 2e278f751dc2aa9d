"""``manage.py user dev ada@example.org --organizer``: let a person in, with the rights of a group."""

import re
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventsite.auth.permissions import ADMINS, ORGANIZERS
from eventsite.management.stage_command import StageCommand

ADDRESS = re.compile(r"""[^\s"\\@]+@[^\s"\\@]+""")


class Command(StageCommand):
    help = "Makes a person an organizer or an admin of a stage; without an account, one is made and invited by e-mail."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("address", help="the person's e-mail address")
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--organizer", dest="group", action="store_const", const=ORGANIZERS)
        group.add_argument("--admin", dest="group", action="store_const", const=ADMINS)

    def on_stage(self, chosen: Any, **options: Any) -> None:
        from eventsite.deployment.stack import outputs_of

        address, group = options["address"], options["group"]
        if not ADDRESS.fullmatch(address):
            raise CommandError(f"{address} is no e-mail address.")
        pool = chosen.values.get("COGNITO_USER_POOL_ID") or outputs_of(chosen).get("UserPoolId")
        if pool is None:
            raise CommandError(f"Stage {chosen.stage} has no user pool: AUTH_MODE is not cognito, or deploy it first.")
        cognito = chosen.session().client("cognito-idp")
        found = cognito.list_users(UserPoolId=pool, Filter=f'email = "{address}"')["Users"]
        if len(found) > 1:
            raise CommandError(f"{len(found)} accounts of {pool} have the address {address}.")
        user = found[0] if found else self._invite(cognito, pool, address)
        try:
            cognito.admin_add_user_to_group(UserPoolId=pool, Username=user["Username"], GroupName=group)
        except cognito.exceptions.ResourceNotFoundException as error:
            raise CommandError(f"The pool {pool} has no group {group}: make it first.") from error
        self.stdout.write(f"{address} is in the group {group}, from the next login on.")

    def _invite(self, cognito: Any, pool: str, address: str) -> Any:
        attributes = {"email": address, "email_verified": "true"}
        made = cognito.admin_create_user(
            UserPoolId=pool,
            Username=address,
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
            DesiredDeliveryMediums=["EMAIL"],
        )
        self.stdout.write(f"{address} has an account now, and an invitation by e-mail.")
        return made["User"]
