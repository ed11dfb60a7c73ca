"""What the agent must not forget, in one SQLite file: plan, instances, boots, unsent reports.

Everything that belongs together changes in one transaction: an instance's new status and the report about
it, say, so that an agent killed at any point either still has to notice something or has it queued.
``synchronous=NORMAL`` is enough: a killed process loses nothing, and a power failure takes the workloads along.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from miniplatform.agent.workload import ProcessId
from miniplatform.wire import NodePlan, PlannedInstance
from obslib.wire import InstanceReport

__all__ = ["Boot", "InstanceRow", "QueuedReport", "State"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS plan (one INTEGER PRIMARY KEY CHECK (one = 1), content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS instances (
    instance_id TEXT PRIMARY KEY, want TEXT NOT NULL, status TEXT NOT NULL, boot_id TEXT NOT NULL,
    restarts INTEGER NOT NULL, failed_at TEXT NOT NULL, retry_at REAL NOT NULL, is_final INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS boots (
    boot_id TEXT PRIMARY KEY, instance_id TEXT NOT NULL, port INTEGER NOT NULL, traceparent TEXT NOT NULL,
    begun_at REAL NOT NULL, is_ready INTEGER NOT NULL DEFAULT 0, has_ended INTEGER NOT NULL DEFAULT 0,
    pid INTEGER, started TEXT
);
CREATE TABLE IF NOT EXISTS reports (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, report TEXT NOT NULL, traceparent TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """One attempt to bring an instance up. ``process`` is ``None`` until there is one; times are Unix seconds."""

    boot_id: str
    instance_id: str
    port: int
    begun_at: float
    traceparent: str = ""
    is_ready: bool = False
    has_ended: bool = False
    process: ProcessId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRow:
    """One slot as it was last written. ``failed_at`` are the failures that still count, oldest first."""

    want: PlannedInstance
    status: str
    boot_id: str = ""
    restarts: int = 0
    failed_at: tuple[float, ...] = ()
    retry_at: float = 0.0
    is_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedReport:
    """A report that no control plane has accepted yet, with the trace it belongs to."""

    sequence: int
    report: InstanceReport
    traceparent: str


class State:
    """The agent's memory. Used from one thread; raises sqlite3.DatabaseError when the file is no such memory."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)  # plans hold the environments of workloads
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or none of it; blocks inside join the outermost."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- plan and instances -------------------------------------------------------------------------

    def plan(self) -> NodePlan | None:
        """The last plan taken over."""
        row = self._db.execute("SELECT content FROM plan").fetchone()
        return NodePlan.model_validate_json(row[0]) if row else None

    def keep_plan(self, plan: NodePlan) -> None:
        """Remember ``plan`` as the last one."""
        self._db.execute("INSERT OR REPLACE INTO plan VALUES (1, ?)", (plan.model_dump_json(),))

    def instances(self) -> list[InstanceRow]:
        """Every slot this node knows of."""
        rows = self._db.execute("SELECT want, status, boot_id, restarts, failed_at, retry_at, is_final FROM instances")
        return [
            InstanceRow(
                want=PlannedInstance.model_validate_json(want), status=status, boot_id=boot_id, restarts=restarts,
                failed_at=tuple(json.loads(failed_at)), retry_at=retry_at, is_final=bool(is_final),
            )
            for want, status, boot_id, restarts, failed_at, retry_at, is_final in rows
        ]  # fmt: skip

    def keep_instance(self, row: InstanceRow) -> None:
        """Write a slot as it is now."""
        self._db.execute(
            "INSERT OR REPLACE INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.want.instance_id, row.want.model_dump_json(), row.status, row.boot_id, row.restarts,
                json.dumps(row.failed_at), row.retry_at, row.is_final,
            ),
        )  # fmt: skip

    def forget_instance(self, instance_id: str) -> None:
        """Drop a slot and its boots; its unsent reports stay."""
        with self.transaction():
            for boot in self.boots(instance_id):
                self.forget_boot(boot.boot_id)
            self._db.execute("DELETE FROM instances WHERE instance_id = ?", (instance_id,))

    # --- boots --------------------------------------------------------------------------------------

    def boots(self, instance_id: str) -> list[Boot]:
        """The boots of one instance that are still remembered, oldest first."""
        rows = self._db.execute(
            "SELECT boot_id, instance_id, port, traceparent, begun_at, is_ready, has_ended, pid, started"
            " FROM boots WHERE instance_id = ? ORDER BY rowid",
            (instance_id,),
        )
        return [_boot(row) for row in rows]

    def keep_boot(self, boot: Boot) -> None:
        """Write a boot as it is now."""
        pid, started = (boot.process.pid, boot.process.started) if boot.process else (None, None)
        self._db.execute(
            "INSERT INTO boots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (boot_id) DO UPDATE SET"
            " is_ready = excluded.is_ready, has_ended = excluded.has_ended, pid = excluded.pid, started = excluded.started",
            (
                boot.boot_id, boot.instance_id, boot.port, boot.traceparent, boot.begun_at, boot.is_ready, boot.has_ended,
                pid, started,
            ),
        )  # fmt: skip

    def forget_boot(self, boot_id: str) -> None:
        """Drop a boot."""
        self._db.execute("DELETE FROM boots WHERE boot_id = ?", (boot_id,))

    def boot_ids(self) -> set[str]:
        """Every boot that is still remembered."""
        return {boot_id for (boot_id,) in self._db.execute("SELECT boot_id FROM boots")}

    # --- reports ------------------------------------------------------------------------------------

    def queue(self, report: InstanceReport, traceparent: str) -> None:
        """Put a report at the end of the queue."""
        self._db.execute("INSERT INTO reports (report, traceparent) VALUES (?, ?)", (report.model_dump_json(), traceparent))

    def queued(self, limit: int = 500) -> list[QueuedReport]:
        """The oldest reports that are still queued, in the order they were made."""
        rows = self._db.execute("SELECT sequence, report, traceparent FROM reports ORDER BY sequence LIMIT ?", (limit,))
        return [
            QueuedReport(sequence=sequence, report=InstanceReport.model_validate_json(report), traceparent=traceparent)
            for sequence, report, traceparent in rows
        ]

    def unqueue(self, sequence: int) -> None:
        """Take a report off the queue: it was accepted, or never will be."""
        self._db.execute("DELETE FROM reports WHERE sequence = ?", (sequence,))


def _boot(row: tuple[str, str, int, str, float, int, int, int | None, str | None]) -> Boot:
    boot_id, instance_id, port, traceparent, begun_at, is_ready, has_ended, pid, started = row
    return Boot(
        boot_id=boot_id, instance_id=instance_id, port=port, traceparent=traceparent, begun_at=begun_at,
        is_ready=bool(is_ready), has_ended=bool(has_ended),
        process=ProcessId(pid=pid, started=started or "") if pid is not None else None,
    )  # fmt: skip
