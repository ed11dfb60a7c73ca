"""The PROXY protocol header, version 2: tells a backend whose connection this is (HAProxy's proxy-protocol.txt, §2.2)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

__all__ = ["Peer", "proxy_v2"]

Peer = tuple[Any, ...]
"""A socket address of IPv4 or IPv6, as ``getpeername()`` gives it: host and port come first."""

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_VERSION_2_PROXY = 0x21
_INET_STREAM, _INET6_STREAM = 0x11, 0x21


def proxy_v2(client: Peer, listener: Peer) -> bytes:
    """The header for a TCP connection from ``client`` to ``listener``; an IPv4 client of an IPv6 socket is told as IPv4."""
    source, target = _address(client), _address(listener)
    family = _INET_STREAM if source.version == 4 else _INET6_STREAM
    content = source.packed + target.packed + struct.pack("!HH", client[1], listener[1])
    return _SIGNATURE + struct.pack("!BBH", _VERSION_2_PROXY, family, len(content)) + content


def _address(peer: Peer) -> IPv4Address | IPv6Address:
    found = ip_address(peer[0].partition("%")[0])
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
