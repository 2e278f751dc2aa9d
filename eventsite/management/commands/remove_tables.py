"""``manage.py remove_tables``: remove the tables at the configured endpoint, with everything in them."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from eventsite.dynamodb.connection import connection
from eventsite.dynamodb.records import table_models


class Command(BaseCommand):
    """Removes tables, after the person at the keyboard has typed which. Exit status: 1 when nothing was removed."""

    help = "Removes the service's tables and all that is in them, after you have typed their prefix."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        try:
            tables = {table["TableName"]: table for table in map(self._described, _names()) if table}
            if not tables:
                raise CommandError(f"There are no tables {', '.join(_names())}.")
            self._confirm(tables)
            for name, table in tables.items():
                self._remove(name, protected=table.get("DeletionProtectionEnabled", False))
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"DynamoDB refused, or cannot be reached: {error}") from error

    def _described(self, name: str) -> dict[str, Any] | None:
        client = _client()
        try:
            table: dict[str, Any] = client.describe_table(TableName=name)["Table"]
        except client.exceptions.ResourceNotFoundException:
            return None
        return table

    def _confirm(self, tables: dict[str, dict[str, Any]]) -> None:
        self.stdout.write(f"At {_client().meta.endpoint_url} there are:")
        for name, table in tables.items():
            self.stdout.write(f"  {name}, about {table.get('ItemCount', 0):,} items")
        wanted = settings.TABLE_PREFIX
        self.stdout.write(f"To remove them and all that is in them, type {wanted} and press Enter:")
        if _typed() != wanted:
            raise CommandError("That is something else. Nothing was removed.")

    def _remove(self, name: str, *, protected: bool) -> None:
        client = _client()
        if protected:
            client.update_table(TableName=name, DeletionProtectionEnabled=False)
            client.get_waiter("table_exists").wait(TableName=name)
        client.delete_table(TableName=name)
        self.stdout.write(f"Removed {name}.")


def _client() -> Any:
    return connection().client


def _names() -> list[str]:
    return [model.Meta.table_name for model in table_models()]


def _typed() -> str:
    try:
        return input()
    except EOFError:
        return ""
