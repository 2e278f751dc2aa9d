"""Items in the table of the markers of keyed requests. Most expire by TTL."""

from django.conf import settings
from pynamodb.attributes import UnicodeAttribute

from eventsite.dynamodb.base_model import BaseModel, WholeNumberAttribute


class MarkersItem(BaseModel):
    class Meta(BaseModel.Meta):
        table_name = settings.MARKERS_TABLE

    key = UnicodeAttribute(hash_key=True, attr_name=settings.MARKERS_KEY[0])
    item = UnicodeAttribute(range_key=True, attr_name=settings.MARKERS_KEY[1])


class ExpiringItem(MarkersItem):
    """An item that DynamoDB removes by TTL. Each kind has an `ITEM` of its own."""

    ITEM = ""

    expires_at = WholeNumberAttribute(attr_name="expiresAt")
    """In seconds since 1970. DynamoDB removes expired items with a delay."""
