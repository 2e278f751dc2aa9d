"""Which addresses of the Internet belong to somebody anybody may speak to."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

UNICAST = ip_network("2000::/3")
"""The part of IPv6 that addresses are given out of (RFC 4291, section 2.4). All else is for something special."""
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
"""What `ipaddress` does not know of, or takes for public in one of its versions, and what leads to other addresses.
https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
"""


def is_public(text: str) -> bool:
    """Whether an address is somebody's on the Internet: not private, loopback, link-local or otherwise special.

    Raises: `ValueError` where it is no address.
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address) and (address not in UNICAST or address.scope_id):
        return False  # also IPv4 in IPv6's clothes (::ffff:0:0/96, 64:ff9b::/96)
    if isinstance(address, IPv4Address) and (address.is_multicast or address.is_reserved):
        return False
    return address.is_global and not any(address in block for block in SPECIAL if block.version == address.version)
