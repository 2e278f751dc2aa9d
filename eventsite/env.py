"""Read and convert environment variables, or stop with a sentence about the expected value."""

import base64
import binascii
import os
import re
import secrets
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

LEAST_PATCH_LEVEL = {(3, 11): (3, 11, 10), (3, 12): (3, 12, 6)}  # the first with fixes of CVE-2024-6923 and -7592


def warning_about_python(version: tuple[int, int, int]) -> str:
    """Return a sentence if this Python has known defects in its mail headers or cookies, else an empty string."""
    needed = LEAST_PATCH_LEVEL.get(version[:2], version)
    if version >= needed:
        return ""
    found, wanted = (".".join(map(str, numbers)) for numbers in (version, needed))
    return f"Python {found} has defects that hostile input can use: run {wanted} or later (CVE-2024-6923, -7592)."


def number(name: str, default: int, expected: str) -> int:
    """Read an integer.

    An empty variable counts as unset, which is what ``NAME= command`` in a shell means.
    """
    try:
        return int(os.environ.get(name) or default)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be {expected}, not {os.environ[name]!r}.") from None


def word(name: str, allowed: tuple[str, ...], default: str) -> str:
    """Read a variable that takes one of a few words."""
    value = os.environ.get(name) or default
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def switch(name: str) -> bool:
    """Read a boolean variable. Unknown words are refused, and do not count as no."""
    return word(name, ("true", "false", "True", "False", "1", "0"), "false") in ("true", "True", "1")


def text(name: str, default: str = "", pattern: str = "", expected: str = "") -> str:
    """Read a text variable that must match a pattern when one is given."""
    value = os.environ.get(name) or default
    if pattern and value and not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name} must be {expected}, not {value!r}.")
    return value


def parts(name: str) -> list[str]:
    """Read the parts of a variable, between commas or spaces."""
    return text(name).replace(",", " ").split()


HOST = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")


def hosts(name: str) -> list[str]:
    """Read the names of a service. A name with a scheme or a port would match no request."""
    found = parts(name)
    for host in found:
        if not HOST.fullmatch(host):
            raise ImproperlyConfigured(
                f"{name} must be host names or addresses, without scheme and port, such as events.example.org "
                f"or [2001:db8::7], not {host!r}."
            )
    return found


def directory(name: str, default: Path) -> Path:
    value = text(name, str(default))
    try:
        return Path(value).expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise ImproperlyConfigured(f"{name} must be a directory, not {value!r}: {error}") from None


def url(name: str, expected: str = "an http or https URL") -> str:
    """Read a URL whose host and port can be parsed."""
    value = text(name, pattern=r"https?://[^\s/]\S*", expected=expected)
    if value and not _is_whole(value):
        raise ImproperlyConfigured(f"{name} must be {expected}, not {value!r}.")
    return value


def _is_whole(url: str) -> bool:
    try:
        split = urlsplit(url)
        return bool(split.hostname) and split.port != 0
    except ValueError:  # a bracket that is not closed, a port that is no number
        return False


def is_loopback(url: str) -> bool:
    """Return True if the host of a URL is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def trusted_url(name: str) -> str:
    """Read the URL of a service whose answers are trusted: https, unless it is on this machine."""
    value = url(name, "an https URL")
    if value.startswith("http:") and not is_loopback(value):
        raise ImproperlyConfigured(
            f"{name} must be an https URL, not {value!r}: an answer over plain http can be forged."
        )
    return value


SECRET_BYTES = range(24, 65)  # lengths of a webhook's secret that the specification allows


def webhook_urls(name: str, *, on_this_machine: bool) -> list[str]:
    """Read the URLs that notices are posted to: https, and no address that only a private network can reach.

    The host is resolved only when a notice is sent. The refusal of a wrong URL does not repeat it, because it may
    contain a secret. A receiver may be `on_this_machine` if the data is.
    """
    urls = list(dict.fromkeys(parts(name)))
    for number, url in enumerate(urls, start=1):
        if not (_is_whole(url) and ((on_this_machine and is_loopback(url)) or _is_postable(url))):
            raise ImproperlyConfigured(
                f"{name} must be https URLs of public hosts, separated by spaces; number {number} is not."
            )
    return urls


NAME = re.compile(r"([A-Za-z0-9_-]+\.)+[A-Za-z][A-Za-z0-9-]*")


def _is_postable(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "https" or "@" in parts.netloc or parts.fragment or not (url.isascii() and url.isprintable()):
        return False
    try:
        return is_public(parts.hostname or "")
    except ValueError:
        return NAME.fullmatch(parts.hostname or "") is not None and not is_loopback(url)


def signing_secrets(name: str) -> list[bytes]:
    """Read one secret of Standard Webhooks, or two while one replaces the other, the newer one first.

    The refusal of a wrong value does not repeat it, because it may be a secret.
    """
    found = []
    for word in parts(name):
        try:
            secret = base64.b64decode(word.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            secret = b""
        if not word.startswith("whsec_") or len(secret) not in SECRET_BYTES:
            raise ImproperlyConfigured(
                f"{name} must be whsec_ and 24 to 64 random bytes in base64: "
                'python -c "import base64, secrets; '
                "print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\""
            )
        found.append(secret)
    return found


LOCAL_KEY = "local-runs-only-"  # the prefix of a local run's key, by which the deployment checks recognise it


def local_key(directory: Path) -> str:
    """Return the random key of the local runs on a directory, created by the first of them."""
    made = LOCAL_KEY + secrets.token_urlsafe(48)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=directory) as draft, suppress(FileExistsError):
            draft.write(made)
            draft.flush()
            os.link(draft.name, directory / "secret-key")  # atomic, because other processes may be starting too
        return (directory / "secret-key").read_text()
    except OSError:  # it cannot be stored, so it is for this process only
        return made


UNICAST = ip_network("2000::/3")
"""The IPv6 block of global unicast addresses (RFC 4291, section 2.4). All other blocks are special."""
SPECIAL = tuple(
    ip_network(block)
    for block in (
        "192.0.0.0/24",  # protocols (RFC 6890)
        "192.88.99.0/24",  # what relays of 6to4 were reached by (RFC 7526)
        "2001::/23",  # protocols, Teredo among them: a way to an IPv4 address (RFC 2928, RFC 4380)
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4: a way to an IPv4 address (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
"""Blocks that `ipaddress` lacks or that some of its versions treat as public, and blocks that map to other addresses.
https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
"""


def is_public(text: str) -> bool:
    """Return True if an address is public: not private, loopback, link-local or special. A name is a `ValueError`."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and (address not in UNICAST or address.scope_id):
        return False  # includes IPv4 addresses mapped into IPv6 (::ffff:0:0/96, 64:ff9b::/96)
    if isinstance(address, IPv4Address) and (address.is_multicast or address.is_reserved):
        return False
    return address.is_global and not any(address in block for block in SPECIAL if block.version == address.version)
