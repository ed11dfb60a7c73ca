"""Shapes that no label value may have: hosts, addresses, people and ids (CARD-01).

A value of such a shape is unbounded by nature, whatever the label is called, so it is folded before it takes a
place in a domain. A label that declares an id prefix or a pattern has said what its values look like instead.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

__all__ = ["LONGEST", "Refusal", "refused_shape"]

Refusal = Literal["hostname", "url", "email", "ip", "ulid", "uuid", "too_long", "secret"]
"""Why a value was refused: the ``reason`` of ``metric_label_rejections_total``."""

LONGEST = 128
"""The longest label value, in characters."""

_ANYWHERE: tuple[tuple[Refusal, re.Pattern[str]], ...] = (
    ("url", re.compile(r"[a-z][a-z0-9+.-]{0,30}://", re.IGNORECASE)),
    ("email", re.compile(r"[^\s@/]@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+", re.IGNORECASE)),
    ("uuid", re.compile(r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])", re.IGNORECASE)),
    ("uuid", re.compile(r"(?<![0-9a-z])[0-9a-f]{32,}(?![0-9a-z])", re.IGNORECASE)),
    ("ulid", re.compile(r"(?<![0-9a-z])[0-7][0-9a-hjkmnp-tv-z]{25}(?![0-9a-z])", re.IGNORECASE)),
    ("ip", re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])")),
    ("hostname", re.compile(r"\Aip-(?:[0-9]{1,3}-){3}[0-9]{1,3}(?![0-9])", re.IGNORECASE)),
)
_HOSTNAME = re.compile(
    r"(?:localhost|(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9])\.?(?::[0-9]{1,5})?\Z", re.IGNORECASE
)


def refused_shape(value: str) -> Refusal | None:
    """Why ``value`` may not be a label value, or None; the first reason that applies, in linear time."""
    if len(value) > LONGEST:
        return "too_long"
    for reason, pattern in _ANYWHERE:
        if pattern.search(value):
            return reason
    if ":" in value and _is_ipv6(value):
        return "ip"
    return "hostname" if _HOSTNAME.match(value) else None


def _is_ipv6(value: str) -> bool:
    inner = value[1 : value.rfind("]")] if value.startswith("[") else value
    try:
        ipaddress.IPv6Address(inner.partition("/")[0])
    except ValueError:
        return False
    return True
