"""``manage.py remove_tables``: remove the tables at the configured endpoint, with everything in them."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from eventsite.dynamodb import tables
from eventsite.dynamodb.base_model import table_models
from eventsite.dynamodb.explain import endpoint
from eventsite.management.operating import OperatorCommand


class Command(OperatorCommand):
    """Removes tables, after the person at the keyboard has typed which. Exit status: 1 when nothing was removed."""

    help = "Removes the service's tables and all that is in them, after you have typed their prefix."
    needs_tables = False

    def handle(self, *args: Any, **options: Any) -> None:
        found = tables.existing()
        if not found:
            raise CommandError(f"There are no tables {', '.join(model.Meta.table_name for model in table_models())}.")
        self._confirm(found)
        for name, table in found.items():
            tables.remove(table)
            self.stdout.write(f"Removed {name}.")

    def _confirm(self, found: dict[str, tables.Description]) -> None:
        self.stdout.write(f"At {endpoint()} there are:")
        for name, table in found.items():
            self.stdout.write(f"  {name}, about {table.get('ItemCount', 0):,} items")
        wanted = settings.TABLE_PREFIX
        self.stdout.write(f"To remove them and all that is in them, type {wanted} and press Enter:")
        if _typed() != wanted:
            raise CommandError("That is something else. Nothing was removed.")


def _typed() -> str:
    try:
        return input()
    except EOFError:
        return ""
