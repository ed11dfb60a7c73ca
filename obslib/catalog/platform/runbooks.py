"""The runbooks: which there are, and when each is the one to open. Their text is ``specs/runbooks/<name>.md``."""

from __future__ import annotations

from obslib.catalog.declaration import Plane
from obslib.catalog.upkeep import Runbook


def _runbook(name: str, help: str, *serves: str, plane: Plane = Plane.COMMON) -> Runbook:
    return Runbook(name=name, help=help, plane=plane, serves=serves, path=f"{name}.md")


CONTROL_PLANE_DOWN = _runbook(
    "control-plane-down", "The API does not answer, or events cannot be appended.", "ALR-01", "ALR-04",
    plane=Plane.CONTROL_PLANE,
)  # fmt: skip
POSTGRES_FAILOVER = _runbook(
    "postgres-failover", "The database is down, or its replicas are gone or behind.", "ALR-02", "ALR-03",
    plane=Plane.CONTROL_PLANE,
)  # fmt: skip
PROJECTION_LAG = _runbook(
    "projection-lag", "Views are behind the event log, or nobody can say how far.", "ALR-05", "DBG-2-04",
    plane=Plane.CONTROL_PLANE,
)  # fmt: skip
SCHEDULER_STALLED = _runbook(
    "scheduler-stalled", "The scheduler finishes no pass.", "ALR-06", plane=Plane.CONTROL_PLANE
)  # fmt: skip
EDGE_PARTIAL_OUTAGE = _runbook(
    "edge-partial-outage", "Some edges serve and some do not, or an edge does not take up new config.", "ALR-07",
    plane=Plane.EDGE,
)  # fmt: skip
WIREGUARD_PARTITION = _runbook(
    "wireguard-partition", "Edges and nodes run, but do not reach each other.", "ALR-08", plane=Plane.EDGE
)  # fmt: skip
HOST_DEGRADED = _runbook(
    "host-degraded", "A node is silent, out of disk or slow.", "ALR-09", "ALR-10", plane=Plane.DATA_PLANE
)  # fmt: skip
VOLUME_CORRUPTION = _runbook(
    "volume-corruption", "A volume or the volume pool is damaged.", "ALR-10", plane=Plane.DATA_PLANE
)  # fmt: skip
BACKUP_RESTORE = _runbook(
    "backup-restore", "Backups fail or are old, or one must be restored.", "ALR-11", plane=Plane.CONTROL_PLANE
)  # fmt: skip
FIRECRACKER_FAILURE = _runbook(
    "firecracker-failure", "Instances do not boot, on one host or on many.", "MET-AG-05", plane=Plane.DATA_PLANE
)  # fmt: skip
