"""What an address says of who a client is."""

import ipaddress
import re
from functools import lru_cache

# What a proxy may write around an address: brackets of IPv6, and a port, which is another for every connection.
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+")
# The old way of writing IPv4 as IPv6, ::203.0.113.7; the first 64 bits say nothing there either.
_COMPATIBLE = ipaddress.IPv6Network("::/96")


def plain_address(address: str) -> str:
    """``address`` as a server on IPv4 alone has it of the same client: ``10.0.0.7`` for ``::ffff:10.0.0.7``, and for
    ``[::ffff:10.0.0.7]:443``.

    So limits, trusted proxies and "this computer" mean the same whichever the server listens on."""
    if found := _WITH_PORT.fullmatch(address):
        address = found[1] or found[2]
    try:
        mapped = ipaddress.IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return str(mapped) if mapped else address


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What one client has for itself: an IPv4 address, or the first 64 bits of an IPv6 one, of which a single computer
    may use any. Where many share those bits, as all neighbours on one link do, it is the whole address."""
    address = plain_address(address)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4 or parsed.is_link_local or parsed in _COMPATIBLE:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
