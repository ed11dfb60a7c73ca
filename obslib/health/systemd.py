"""Telling systemd how the process is doing, where its unit asks for it (``Type=notify``).

The protocol is one datagram to the socket named by ``NOTIFY_SOCKET`` (sd_notify(3)); no library needed.
"""

from __future__ import annotations

import socket

__all__ = ["sd_notify"]


def sd_notify(message: str, *, address: str) -> bool:
    r"""Send ``READY=1``, ``STOPPING=1``, ``STATUS=…`` or several joined by ``\n``; whether it was sent.

    ``address`` is the value of ``NOTIFY_SOCKET``, empty when no unit asks. Never raises and never blocks: a full
    or missing socket loses the message.
    """
    if not address:
        return False
    target = f"\0{address[1:]}" if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
            out.sendto(message.encode(), target)
    except OSError:
        return False
    return True
