"""Reading the environment: one variable, typed, or a sentence that says what it must be."""

import os
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

T = TypeVar("T")

ENV = Env()


def read(name: str, cast: Callable[..., T], default: T, expected: str) -> T:
    """Read one environment variable, or stop with a sentence that says what it must be.

    An empty variable counts as unset, which is what ``NAME= command`` in a shell means.
    """
    if not os.environ.get(name):
        return default
    try:
        return cast(name)
    except (ValueError, TypeError, ImproperlyConfigured):
        raise ImproperlyConfigured(f"{name} must be {expected}, not {os.environ[name]!r}.") from None


def word(name: str, allowed: tuple[str, ...], default: str) -> str:
    """Read a variable that takes one of a few words."""
    value = os.environ.get(name) or default
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def switch(name: str) -> bool:
    """Read a yes-or-no variable; anything but the usual words is refused rather than taken for no."""
    return word(name, ("true", "false", "True", "False", "1", "0"), "false") in ("true", "True", "1")


def text(name: str, default: str = "", pattern: str = "", expected: str = "") -> str:
    """Read a text variable that must match a pattern when one is given."""
    value = os.environ.get(name) or default
    if pattern and value and not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name} must be {expected}, not {value!r}.")
    return value


def is_loopback(url: str) -> bool:
    """Whether a URL points at this very machine."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def trusted_url(name: str) -> str:
    """Read the URL of something that is believed: https, unless it is on this very machine."""
    url = text(name, pattern=r"https?://[^\s/]\S*", expected="an https URL")
    if url.startswith("http:") and not is_loopback(url):
        raise ImproperlyConfigured(f"{name} must be an https URL, not {url!r}: what plain http says can be forged.")
    return url
