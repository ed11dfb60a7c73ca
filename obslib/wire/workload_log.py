"""Lines of workloads on their way from an agent to the control plane (WLG-06, WLG-07, WLG-08).

An entry is named by (instance, boot, seq) for good: sent again, it is recognised. The agent says nothing about
org, app, env or process type; the control plane stamps those from its own view of the instance.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from obslib.wire.moment import Moment
from obslib.wire.record import Record

__all__ = ["MAX_ENTRIES", "MAX_LINE_BYTES", "LogAck", "LogBatch", "LogEntry", "LogGap", "LossReason", "Stream"]

Stream = Literal["stdout", "stderr"]
LossReason = Literal["buffer_full", "rate_limited", "rejected", "console_full", "spool_lost"]
"""Why lines never reached the store. ``console_full``: the console file gave them up before the agent had read them;
``spool_lost``: the agent's spool broke, and what it held is not known."""

MAX_ENTRIES = 500
"""Entries of one request (platform facts §15)."""

MAX_LINE_BYTES = 16_384
"""Bytes of one line, the ``…`` of a cut one included (platform facts §15)."""

_LONGEST_ID = 64

_MOST = 2**53
"""Numbers in JSON are exact up to here."""


class LogGap(Record):
    """Lines that are missing. They take the numbers ``seq`` to ``seq + lines - 1`` of the entry that tells of them.

    ``lines`` is 1 where nobody could count them, and ``is_exact`` is false then; ``bytes`` is 0 where unknown.
    """

    reason: LossReason
    lines: int = Field(ge=1, le=_MOST)
    bytes: int = Field(default=0, ge=0, le=_MOST)
    is_exact: bool = True


class LogEntry(Record):
    """One captured line, or the gap where lines should be. ``line`` holds the bytes as written, base64 in JSON.

    ``seq`` counts from 1 in each boot, over both streams, without holes: what is missing is a gap.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    instance_id: str = Field(max_length=_LONGEST_ID)
    boot_id: str = Field(max_length=_LONGEST_ID)
    seq: int = Field(ge=1, le=_MOST)
    ts: Moment
    stream: Stream
    line: bytes = Field(default=b"", max_length=MAX_LINE_BYTES)
    truncated: bool = False
    gap: LogGap | None = None

    @property
    def last_seq(self) -> int:
        """The last number this entry takes."""
        return self.seq + (self.gap.lines if self.gap else 1) - 1


class LogBatch(Record):
    """Entries of any instances of one node; of one instance in the order of their numbers."""

    entries: tuple[LogEntry, ...] = Field(max_length=MAX_ENTRIES)


class LogAck(Record):
    """What became of a batch: once this is sent, ``stored`` entries are durable and ``duplicates`` were so before.

    ``rejected`` are the instances that the control plane does not have on that node; their entries are not kept.
    """

    stored: int
    duplicates: int = 0
    rejected: tuple[str, ...] = ()
