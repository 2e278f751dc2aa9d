"""Entity tags, so that an edit applies only to the version that was read (RFC 9110, sections 8.8.3 and 13.1)."""

import re

from rest_framework.exceptions import ParseError

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"(?:[ \t]*,)*[ \t]*{_TAG}(?:[ \t]*,(?:[ \t]*{_TAG})?)*[ \t]*")
_VERSION = re.compile(r'(?:W/)?"(0|[1-9][0-9]{0,17})(?:(?:--?|;)(?:gzip|br|deflate|zstd))?"')
"""A tag of ours, also if a compressing proxy changed it: nginx weakens it, Apache adds a suffix."""


class MalformedTags(ParseError):
    """The header is not a list of entity tags (400)."""

    default_detail = 'If-Match must be * or entity tags, such as "1": see the ETag of what you have read.'


def etag(version: int) -> str:
    return f'"{version}"'


def versions(if_match: str | None) -> set[int] | None:
    """Return the versions that an If-Match header allows, or None if it allows any.

    A weak tag of ours matches, unlike the RFC's: ours are strong, so only a compressing proxy can have weakened one,
    and the version in it is still exact. Tags that this service did not make match nothing.
    """
    if if_match is None or if_match.strip(" \t") == "*":
        return None
    if not _TAGS.fullmatch(if_match):
        raise MalformedTags
    tags = re.findall(_TAG, if_match)
    return {int(found[1]) for tag in tags if (found := _VERSION.fullmatch(tag))}


def names(if_none_match: str | None, tag: str) -> bool:
    """Return True if an If-None-Match header names a tag, weak or strong, or any."""
    if if_none_match is None:
        return False
    if if_none_match.strip(" \t") == "*":
        return True
    found = re.findall(_TAG, if_none_match) if _TAGS.fullmatch(if_none_match) else []
    return tag.removeprefix("W/") in [one.removeprefix("W/") for one in found]
