"""Addresses that mail can reach: one rule for the API, imports, tokens and the mails themselves.

The address is stored as it was typed. `in_ascii` is the form that mail servers take.
"""

import re

LONGEST = 254  # characters, of both forms (RFC 3696, erratum 1690)
LONGEST_LOCAL = 64  # octets before the @ (RFC 5321, section 4.5.3.1.1)

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+[A-Za-z]([A-Za-z0-9-]{{0,61}}[A-Za-z0-9])")
_ENCODED_WORD = "=?"


class NotAnAddress(ValueError):
    """The text is no e-mail address."""


def is_address(text: str) -> bool:
    try:
        in_ascii(text)
    except NotAnAddress:
        return False
    return True


def in_ascii(text: str) -> str:
    """Return an address with its domain in ASCII, as every mail server accepts it.

    The domain is mapped by UTS 46, non-transitional, so `straße` stays another name than `strasse` (RFC 5891).
    Quoted local parts are refused: they are rare, and programs read them differently.

    Raises:
        NotAnAddress: It is no address.
    """
    local, _, domain = text.rpartition("@")
    # An encoded word would be decoded by the next parser of the header (RFC 2047).
    if len(local) > LONGEST_LOCAL or not _LOCAL.fullmatch(local) or _ENCODED_WORD in local:
        raise NotAnAddress
    address = f"{local}@{_domain(domain)}"
    if max(len(text), len(address)) > LONGEST:
        raise NotAnAddress
    return address


def _domain(typed: str) -> str:
    domain = typed if typed.isascii() and "xn--" not in typed.lower() else _a_labels(typed)
    if not _DOMAIN.fullmatch(domain):
        raise NotAnAddress
    return domain


def _a_labels(domain: str) -> str:
    import idna  # its tables take 5 ms to import, and hardly an address needs them

    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise NotAnAddress from error
