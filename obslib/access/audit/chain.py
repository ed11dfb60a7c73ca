"""The hash chain: each record's hash covers the one before, so that none can be changed, removed or moved unseen.

There is one chain per org. What a chain alone cannot show is that its newest records were cut off: compare the
last hash with a head noted elsewhere (``verify(…, head=…)``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from obslib.access.audit.record import AuditRecord

__all__ = ["GENESIS", "Breach", "Link", "digest", "verify"]

GENESIS = "0" * 64
"""The head of a chain that has no record yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A record in its place: its number from 1, the hash it was built on and its own."""

    seq: int
    previous: str
    hash: str
    record: AuditRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """The first thing that is wrong with a chain, at record ``seq``: everything from there on is in doubt."""

    seq: int
    kind: Literal["changed", "removed", "reordered", "foreign", "cut_off"]


def digest(previous: str, record: AuditRecord) -> str:
    """The hash of ``record`` standing after the record of hash ``previous``."""
    return hashlib.sha256(previous.encode() + b"\n" + record.canonical()).hexdigest()


def verify(links: Iterable[Link], *, head: str | None = None) -> Breach | None:
    """The first breach of a chain read from its beginning, or None when it is whole.

    ``changed``: the record is not what was hashed. ``removed``: the one before it is missing. ``reordered``: it stands
    where another should. ``foreign``: it belongs to another org's chain. ``cut_off``: the chain does not end at ``head``.
    """
    previous, seq, org_id = GENESIS, 0, None
    for link in links:
        org_id = org_id or link.record.org_id
        kind = _judge(link, previous, seq + 1, org_id)
        if kind is not None:
            return Breach(seq=seq + 1, kind=kind)
        previous, seq = link.hash, link.seq
    return None if head is None or previous == head else Breach(seq=seq + 1, kind="cut_off")


def _judge(
    link: Link, previous: str, expected: int, org_id: str
) -> Literal["changed", "removed", "reordered", "foreign"] | None:
    if link.record.org_id != org_id:
        return "foreign"
    if link.seq > expected:
        return "removed"
    if link.seq < expected:
        return "reordered"
    if link.hash != digest(link.previous, link.record):
        return "changed"
    return None if link.previous == previous else "removed"
