"""A line as the control plane keeps it: what the agent sent, and what the control plane itself knows of the instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from obslib.wire import LogEntry

__all__ = ["Appended", "Page", "Stamp", "StampedEntry", "StoredEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Where an instance belongs, from the control plane's own view; the agent's claim is never asked (WLG-08)."""

    org_id: str
    app_id: str
    env_id: str
    process_type: str
    node_id: str


@dataclass(frozen=True, slots=True)
class StampedEntry:
    """An entry on its way into the store."""

    stamp: Stamp
    entry: LogEntry


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry out of the store. ``position`` is opaque; of two entries of one org the later arrival's is greater."""

    position: int
    stamp: Stamp
    entry: LogEntry


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of entries: those that are new, in their order, and how many were there before."""

    fresh: Sequence[LogEntry]
    duplicates: int

    @property
    def stored(self) -> int:
        """How many are new."""
        return len(self.fresh)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of an answer, oldest first.

    ``position`` is where the next page starts, also when nothing here matched. ``left_out`` counts the older entries
    that were asked for and did not fit into the byte limit of one answer.
    """

    entries: Sequence[StoredEntry]
    position: int = 0
    left_out: int = 0
