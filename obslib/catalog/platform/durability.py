"""Signals about what keeps the data when a machine is lost: replication of the database, backups, and how much there is.

Apart from the database's own signals, because they are about the day after: everything may serve while these fail.
"""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import AcrossWorkers, counter, gauge, histogram
from obslib.catalog.platform import terms as t
from obslib.catalog.signals import Check, Importance, Level, log_event

_PLANE = Plane.CONTROL_PLANE
_ON_CP = ("control-plane",)
_HOURS = (1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0)

# --- replication ----------------------------------------------------------------------------------


@gauge("db_replicas_expected", serves=("ALR-03",), plane=_PLANE, components=_ON_CP, across_workers=AcrossWorkers.MAX)
def DB_REPLICAS_EXPECTED() -> None:
    """Replicas the primary should feed; absent where nobody looks."""


@gauge("db_replicas_connected", serves=("ALR-03",), plane=_PLANE, components=_ON_CP, across_workers=AcrossWorkers.MIN)
def DB_REPLICAS_CONNECTED() -> None:
    """Replicas that stream from the primary now; absent where nobody looks."""


@gauge("db_replication_lag_seconds", serves=("ALR-03",), plane=_PLANE, components=_ON_CP, across_workers=AcrossWorkers.MAX)
def DB_REPLICATION_LAG() -> None:
    """How far the worst connected replica is behind; absent, not 0, while none is connected."""


REPLICATION_OK = Check(
    name="replication", help="Every expected replica streams from the primary.", plane=_PLANE, components=_ON_CP,
    serves=("ALR-03",), importance=Importance.OPTIONAL, deadline_s=1.0,
)  # fmt: skip

# --- size -----------------------------------------------------------------------------------------

_ON_PROJECTOR = ("projector",)


@gauge("event_log_rows", serves=("EXT-09",), plane=_PLANE, components=_ON_PROJECTOR, across_workers=AcrossWorkers.MAX)
def EVENT_LOG_ROWS() -> None:
    """Events in the log, as the database estimates them; absent before its first look at the table."""


@gauge("event_log_size_bytes", serves=("EXT-09",), plane=_PLANE, components=_ON_PROJECTOR, across_workers=AcrossWorkers.MAX)
def EVENT_LOG_SIZE() -> None:
    """Bytes the log takes on disk, its indexes included."""


# --- backups --------------------------------------------------------------------------------------

BackupKindName = Literal["postgres_base", "postgres_wal", "volume"]
BackupKind = Annotated[BackupKindName, c.KIND]


@counter("backup_runs_total", serves=("ALR-11",), plane=_PLANE, components=_ON_CP)
def BACKUP_RUNS(*, kind: BackupKind, result: c.Outcome) -> None:
    """Backups tried, by kind and result."""


@gauge(
    "backup_last_success_timestamp_seconds", serves=("ALR-11",), plane=_PLANE, components=_ON_CP,
    across_workers=AcrossWorkers.MAX,
)  # fmt: skip
def BACKUP_LAST_SUCCESS(*, kind: BackupKind) -> None:
    """Unix time of the newest good backup; absent before the first is known."""


@histogram("backup_duration_seconds", serves=("ALR-11",), plane=_PLANE, components=_ON_CP, buckets=_HOURS)
def BACKUP_DURATION(*, kind: BackupKind, result: c.Outcome) -> None:
    """Time of one backup, by kind and result."""


@gauge("backup_stale_volumes", serves=("ALR-11",), plane=_PLANE, components=_ON_CP, across_workers=AcrossWorkers.MAX)
def BACKUP_STALE_VOLUMES() -> None:
    """Volumes whose newest good backup is older than 48 hours; absent where nobody counts them."""


@log_event("backup.failed", serves=("ALR-11", "LOG-08"), level=Level.ERROR, plane=_PLANE, components=_ON_CP)
def BACKUP_FAILED(*, kind: t.Kind, duration_seconds: c.DurationSeconds) -> None:
    """A backup failed; the last good one stays what there is."""
