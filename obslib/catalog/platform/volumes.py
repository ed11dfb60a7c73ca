"""Signals of volumes on their node: attached to instances, snapshotted, made anew from a snapshot.

Figures of the pool that they are cut from are with the node's other resources.
"""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane, Stability
from obslib.catalog.families import counter, gauge, histogram
from obslib.catalog.platform import terms as t
from obslib.catalog.signals import Level, Operation, log_event, span_kind

_PLANE = Plane.DATA_PLANE
_ON_AGENT = ("agent",)
_NEW = Stability.EXPERIMENTAL
_ATTACH = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SNAPSHOT = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_RESTORE = (1.0, 10.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0)

AttachReason = Annotated[Literal["none", t.VolumeReasonName], c.REASON]
RestoreReason = Annotated[Literal["none", t.RestoreReasonName], c.REASON]

# --- attaching (EXT-07) ---------------------------------------------------------------------------


@counter(
    "agent_volume_attach_total", serves=("EXT-07",), plane=_PLANE, components=_ON_AGENT, stability=_NEW,
    joints=(t.VOLUME_REASONS.outcomes,),
)  # fmt: skip
def AGENT_VOLUME_ATTACH(*, result: c.Outcome, reason: AttachReason) -> None:
    """Volumes attached to instances, by result, and by reason where that failed."""


@histogram(
    "agent_volume_attach_duration_seconds", serves=("EXT-07",), plane=_PLANE, components=_ON_AGENT, stability=_NEW,
    buckets=_ATTACH,
)  # fmt: skip
def AGENT_VOLUME_ATTACH_DURATION(*, result: c.Outcome) -> None:
    """Time to attach one volume to an instance, or until that failed."""


@gauge("agent_volume_attachments", serves=("EXT-07",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def AGENT_VOLUME_ATTACHMENTS() -> None:
    """Volumes of this node that are attached to an instance now."""


@span_kind("agent.volume_attach", serves=("EXT-07",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def AGENT_VOLUME_ATTACH_SPAN(*, volume_id: t.VolumeId, attachment_id: t.AttachmentId = "") -> None:
    """Attachment of one volume, inside the boot that needs it."""


@log_event("volume.attached", serves=("EXT-07",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def VOLUME_ATTACHED(*, volume_id: t.VolumeId, attachment_id: t.AttachmentId, duration_seconds: c.DurationSeconds) -> None:
    """Volume attached to an instance."""


@log_event("volume.detached", serves=("EXT-07",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def VOLUME_DETACHED(*, volume_id: t.VolumeId, attachment_id: t.AttachmentId) -> None:
    """Volume taken from an instance."""


@log_event("volume.attach_failed", serves=("EXT-07",), level=Level.ERROR, plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def VOLUME_ATTACH_FAILED(
    *,
    duration_seconds: c.DurationSeconds,
    reason: c.Reason,
    volume_id: t.VolumeId = "",
    attachment_id: t.AttachmentId = "",
) -> None:
    """Volume could not be attached."""


VOLUME_ATTACH = Operation(
    name="agent.volume_attach", help="Attaches one volume to an instance.", plane=_PLANE, components=_ON_AGENT,
    serves=("EXT-07",), stability=_NEW, span=AGENT_VOLUME_ATTACH_SPAN, duration=AGENT_VOLUME_ATTACH_DURATION,
    outcomes=(AGENT_VOLUME_ATTACH,), reasons=t.VOLUME_REASONS, failed=VOLUME_ATTACH_FAILED,
)  # fmt: skip

# --- snapshots (EXT-08) ---------------------------------------------------------------------------


@counter("agent_snapshots_total", serves=("EXT-08",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def AGENT_SNAPSHOTS(*, result: c.Outcome) -> None:
    """Snapshots of volumes tried, by result; a failure's reason is in its line."""


@histogram(
    "agent_snapshot_duration_seconds", serves=("EXT-08",), plane=_PLANE, components=_ON_AGENT, stability=_NEW,
    buckets=_SNAPSHOT,
)  # fmt: skip
def AGENT_SNAPSHOT_DURATION(*, result: c.Outcome) -> None:
    """Time until a snapshot is on this node, or until that failed; its upload is a backup's."""


@span_kind("agent.snapshot", serves=("EXT-08",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def AGENT_SNAPSHOT_SPAN(*, snapshot_id: t.SnapshotId, volume_id: t.VolumeId) -> None:
    """One snapshot, in the trace that asked for it."""


@log_event("snapshot.taken", serves=("EXT-08",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def SNAPSHOT_TAKEN(*, snapshot_id: t.SnapshotId, volume_id: t.VolumeId, duration_seconds: c.DurationSeconds) -> None:
    """Snapshot taken."""


@log_event("snapshot.failed", serves=("EXT-08",), level=Level.ERROR, plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def SNAPSHOT_FAILED(
    *, duration_seconds: c.DurationSeconds, reason: c.Reason, snapshot_id: t.SnapshotId = "", volume_id: t.VolumeId = ""
) -> None:
    """Snapshot could not be taken."""


SNAPSHOT = Operation(
    name="agent.snapshot", help="Takes one snapshot of a volume.", plane=_PLANE, components=_ON_AGENT, serves=("EXT-08",),
    stability=_NEW, span=AGENT_SNAPSHOT_SPAN, duration=AGENT_SNAPSHOT_DURATION, outcomes=(AGENT_SNAPSHOTS,),
    reasons=t.SNAPSHOT_REASONS, failed=SNAPSHOT_FAILED,
)  # fmt: skip

# --- restores (EXT-08) ----------------------------------------------------------------------------


@counter(
    "agent_restores_total", serves=("EXT-08",), plane=_PLANE, components=_ON_AGENT, stability=_NEW,
    joints=(t.RESTORE_REASONS.outcomes,),
)  # fmt: skip
def AGENT_RESTORES(*, result: c.Outcome, reason: RestoreReason) -> None:
    """Restores of snapshots into new volumes, by result, and by reason where they failed."""


@histogram(
    "agent_restore_duration_seconds", serves=("EXT-08",), plane=_PLANE, components=_ON_AGENT, stability=_NEW,
    buckets=_RESTORE,
)  # fmt: skip
def AGENT_RESTORE_DURATION(*, result: c.Outcome) -> None:
    """Time until the new volume is checked and can be attached, or until that failed."""


@span_kind("agent.restore", serves=("EXT-08",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def AGENT_RESTORE_SPAN(*, restore_id: t.RestoreId, snapshot_id: t.SnapshotId, volume_id: t.VolumeId) -> None:
    """One restore, in the trace that asked for it."""


@log_event("restore.finished", serves=("EXT-08",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def RESTORE_FINISHED(
    *, restore_id: t.RestoreId, snapshot_id: t.SnapshotId, volume_id: t.VolumeId, duration_seconds: c.DurationSeconds
) -> None:
    """Snapshot restored into a new volume."""


@log_event("restore.failed", serves=("EXT-08",), level=Level.ERROR, plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def RESTORE_FAILED(
    *,
    duration_seconds: c.DurationSeconds,
    reason: c.Reason,
    restore_id: t.RestoreId = "",
    snapshot_id: t.SnapshotId = "",
    volume_id: t.VolumeId = "",
) -> None:
    """Snapshot could not be restored."""


RESTORE = Operation(
    name="agent.restore", help="Makes a new volume from a snapshot.", plane=_PLANE, components=_ON_AGENT, serves=("EXT-08",),
    stability=_NEW, span=AGENT_RESTORE_SPAN, duration=AGENT_RESTORE_DURATION, outcomes=(AGENT_RESTORES,),
    reasons=t.RESTORE_REASONS, failed=RESTORE_FAILED,
)  # fmt: skip
