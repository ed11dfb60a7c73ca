"""The hash chain: each record's hash covers the one before, so that none can be changed, removed or moved unseen.

There is one chain per org. What a chain alone cannot show is that its newest records were cut off: compare the
last hash with a head noted elsewhere (``verify(…, head=…)``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from obslib.access.audit.record import AuditRecord

__all__ = ["GENESIS", "Breach", "ChainWalk", "Link", "digest", "is_chain_name", "verify"]

GENESIS = "0" * 64
"""The head of a chain that has no record yet."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


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


def is_chain_name(org_id: str) -> bool:
    """Whether a chain may be called so: what else a caller sends as the id of an org opens none."""
    return _NAME.match(org_id) is not None


def digest(previous: str, record: AuditRecord) -> str:
    """The hash of ``record`` standing after the record of hash ``previous``."""
    return hashlib.sha256(previous.encode() + b"\n" + record.canonical()).hexdigest()


def verify(links: Iterable[Link], *, head: str | None = None) -> Breach | None:
    """The first breach of a chain read from its beginning, or None when it is whole.

    ``changed``: the record is not what was hashed. ``removed``: the one before it is missing. ``reordered``: it stands
    where another should. ``foreign``: it belongs to another org's chain. ``cut_off``: no record has the hash ``head``.
    """
    walk = ChainWalk(head=head)
    for link in links:
        if walk.take(link) is not None:
            break
    return walk.end()


class ChainWalk:
    """Verifies a chain link by link, for one that is too long to hold; ``head`` is a hash noted earlier."""

    def __init__(self, *, head: str | None = None) -> None:
        self.seq = 0
        self.head = GENESIS
        self.breach: Breach | None = None
        self._wanted = head
        self._org_id = ""

    def take(self, link: Link) -> Breach | None:
        """Look at the next link; the breach, once there is one."""
        if self.breach is None:
            self._org_id = self._org_id or link.record.org_id
            kind = self._judge(link)
            if kind is not None:
                self.breach = Breach(seq=self.seq + 1, kind=kind)
                return self.breach
            self.seq, self.head = link.seq, link.hash
            if self.head == self._wanted:
                self._wanted = None
        return self.breach

    def end(self) -> Breach | None:
        """The verdict when there is no further link: a head that was noted must have been passed."""
        if self.breach is None and self._wanted not in (None, GENESIS):
            self.breach = Breach(seq=self.seq + 1, kind="cut_off")
        return self.breach

    def _judge(self, link: Link) -> Literal["changed", "removed", "reordered", "foreign"] | None:
        if link.record.org_id != self._org_id:
            return "foreign"
        if link.seq > self.seq + 1:
            return "removed"
        if link.seq < self.seq + 1:
            return "reordered"
        if link.hash != digest(link.previous, link.record):
            return "changed"
        return None if link.previous == self.head else "removed"
