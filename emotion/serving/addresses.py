"""What an address says of who a client is."""

import ipaddress
from functools import lru_cache


def plain_address(address: str) -> str:
    """``address`` as a server on IPv4 alone has it of the same client: ``10.0.0.7`` for ``::ffff:10.0.0.7``.

    So limits, trusted proxies and "this computer" mean the same whichever the server listens on."""
    try:
        mapped = ipaddress.IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return str(mapped) if mapped else address


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What one client has for itself: an IPv4 address, or the first 64 bits of an IPv6 one, of which a single computer
    may use any. Of an address on this link it is the whole: all neighbours share those bits."""
    address = plain_address(address)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.is_link_local:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
