"""Where a request comes from: the address that limits count by, also behind proxies."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

IPV6_PREFIX = 64
"""Bits: whoever has one IPv6 address has the 2^64 beside it."""


def address_of(request: HttpRequest | Request) -> str:
    """Return the client's address: the peer, or what the outermost of our proxies saw.

    Each proxy adds its peer to X-Forwarded-For; only the last TRUSTED_PROXIES entries are written
    by ours, and whatever stands before them is anybody's word. An IPv6 address stands for its /64.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "")
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    trusted = int(settings.TRUSTED_PROXIES)
    said = hops[-trusted] if 0 < trusted <= len(hops) else peer
    return network_of(said) or network_of(peer) or "unknown"


def network_of(address: str) -> str:
    """Return an address in one form, or "" if it is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False).network_address)
    return str(found)
