"""Every bound on the agent's side of workload logs, in one place: what is read, kept and sent at most."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bounds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one node keeps of its workloads' lines, and how fast an instance may write.

    A line costs one token per KiB begun, so that long lines are limited like many short ones; ``burst`` tokens are saved
    up while an instance is quiet. ``spool_bytes`` counts 100 bytes beside each line, for its place in the file.
    """

    lines_per_instance: int = 10_000
    spool_bytes: int = 256 * 2**20
    tokens_per_second: float = 1_000.0
    burst: float = 5_000.0
