"""The health of the tables: one small read of each, of a key that does not exist."""

import logging

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from eventsite.dynamodb.base_model import BaseModel, table_models
from eventsite.dynamodb.retries import time_limit
from eventsite.errors import Unavailable

logger = logging.getLogger(__name__)

SECONDS = 2.0
NO_KEY = "#health"


def checked_apps() -> list[str]:
    return [_app(model) for model in table_models()]


def tables() -> dict[str, str]:
    """Return the state of each table by its app: ``ok`` or ``unavailable``."""
    with time_limit(SECONDS):
        return {_app(model): _state(model) for model in table_models()}


def _app(model: type[BaseModel]) -> str:
    return model.__module__.partition(".")[0]


def _state(model: type[BaseModel]) -> str:
    try:
        model.get(NO_KEY, NO_KEY if model.has_range_key() else None)
    except model.DoesNotExist:
        return "ok"
    except (PynamoDBException, BotoCoreError, Unavailable):
        logger.warning("the table %s does not answer", model.Meta.table_name)
        return "unavailable"
    return "ok"
