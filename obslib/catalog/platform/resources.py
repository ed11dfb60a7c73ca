"""What instances and their node use: memory, processors, image cache, volume pool, overlay.

Apart from ``data_plane`` because the bound of these families is another: the groups that can be placed on one node.
"""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane, Stability
from obslib.catalog.families import AcrossWorkers, counter, gauge, histogram, instance_gauge
from obslib.catalog.labels import Domain, Label
from obslib.catalog.platform import terms as t
from obslib.catalog.platform.data_plane import DiskKind
from obslib.catalog.signals import span_kind

_PLANE = Plane.DATA_PLANE
_ON_AGENT = ("agent",)
_PLACED = (t.PLACED,)
_AGES = (15.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0, 300.0, 600.0, 3_600.0)
_PULL = (0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0)

# --- memory and processors of instances (MET-AG-09 to MET-AG-11) ----------------------------------

INSTANCE_ID = Label(
    name="instance_id", domain=Domain.BUDGETED, at_most=256, id_prefix="inst", is_per_instance=True,
    why="the instances that fit on one node; only through an InstanceMetric (CARD-02)",
)  # fmt: skip
Rank = Annotated[Literal["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], Label.closed("rank", at_most=10)]


@gauge(
    "agent_instance_memory_usage_bytes", serves=("MET-AG-10", "CARD-04", "CARD-05"), plane=_PLANE, components=_ON_AGENT,
    joints=_PLACED,
)  # fmt: skip
def AGENT_INSTANCE_MEMORY_USAGE(*, env_id: t.EnvIdLabel, process_type: t.ProcessTypeLabel) -> None:
    """Memory that the instances of a group use on this node, page cache included."""


@gauge("agent_instance_memory_limit_bytes", serves=("MET-AG-10",), plane=_PLANE, components=_ON_AGENT, joints=_PLACED)
def AGENT_INSTANCE_MEMORY_LIMIT(*, env_id: t.EnvIdLabel, process_type: t.ProcessTypeLabel) -> None:
    """Sum of the memory caps of a group's instances on this node."""


@gauge(
    "agent_instance_memory_usage_max_ratio", serves=("MET-AG-09", "MET-AG-10"), plane=_PLANE, components=_ON_AGENT,
    joints=_PLACED, across_workers=AcrossWorkers.MAX,
)  # fmt: skip
def AGENT_INSTANCE_MEMORY_MAX_RATIO(*, env_id: t.EnvIdLabel, process_type: t.ProcessTypeLabel) -> None:
    """Use against cap of the group's instance that is nearest to its cap."""


@gauge(
    "agent_instance_memory_usage_top_ratio", serves=("MET-AG-09", "MET-AG-10"), plane=_PLANE, components=_ON_AGENT,
    across_workers=AcrossWorkers.MAX,
)  # fmt: skip
def AGENT_INSTANCE_MEMORY_TOP_RATIO(*, rank: Rank) -> None:
    """Use against cap of the node's ten instances nearest to theirs, the nearest first; carries no id."""


@instance_gauge(
    "agent_instance_memory_usage_ratio", quota="max_instances", max_series=256, aggregate=AGENT_INSTANCE_MEMORY_MAX_RATIO,
    serves=("CARD-02", "MET-AG-09"), components=_ON_AGENT, stability=Stability.EXPERIMENTAL,
)  # fmt: skip
def AGENT_INSTANCE_MEMORY_RATIO(*, instance_id: Annotated[str, INSTANCE_ID]) -> None:
    """Use against cap of one instance, for as long as it runs."""


@counter("agent_instance_oom_kills_total", serves=("MET-AG-10",), plane=_PLANE, components=_ON_AGENT)
def AGENT_INSTANCE_OOM_KILLS(*, process_type: t.ProcessTypeLabel) -> None:
    """Instances ended because they outgrew their memory cap."""


@counter("agent_instance_cpu_periods_total", serves=("MET-AG-11",), plane=_PLANE, components=_ON_AGENT, joints=_PLACED)
def AGENT_INSTANCE_CPU_PERIODS(*, env_id: t.EnvIdLabel, process_type: t.ProcessTypeLabel) -> None:
    """Scheduling periods in which a group's instances could have been throttled; none without a processor limit."""


@counter(
    "agent_instance_cpu_throttled_periods_total", serves=("MET-AG-11",), plane=_PLANE, components=_ON_AGENT, joints=_PLACED
)
def AGENT_INSTANCE_CPU_THROTTLED_PERIODS(*, env_id: t.EnvIdLabel, process_type: t.ProcessTypeLabel) -> None:
    """Scheduling periods in which they were."""


@counter(
    "agent_instance_cpu_throttled_seconds_total", serves=("MET-AG-11",), plane=_PLANE, components=_ON_AGENT, joints=_PLACED
)
def AGENT_INSTANCE_CPU_THROTTLED(*, env_id: t.EnvIdLabel, process_type: t.ProcessTypeLabel) -> None:
    """Time for which a group's instances were throttled."""


@counter("agent_instance_cpu_pressure_seconds_total", serves=("MET-AG-11",), plane=_PLANE, components=_ON_AGENT, joints=_PLACED)
def AGENT_INSTANCE_CPU_PRESSURE(*, env_id: t.EnvIdLabel, process_type: t.ProcessTypeLabel) -> None:
    """Time in which something of a group's instances waited for a processor."""


# --- image cache (MET-AG-06 to MET-AG-08, MET-AG-13) ----------------------------------------------

CacheKind = Annotated[Literal["oci", "rootdisks", "tmp"], c.KIND]


@gauge("agent_image_cache_bytes", serves=("MET-AG-06",), plane=_PLANE, components=_ON_AGENT)
def AGENT_IMAGE_CACHE(*, kind: CacheKind) -> None:
    """Disk space the image cache uses."""


@gauge("agent_image_cache_limit_bytes", serves=("MET-AG-13",), plane=_PLANE, components=_ON_AGENT)
def AGENT_IMAGE_CACHE_LIMIT() -> None:
    """Disk space the image cache may use."""


@counter("agent_image_cache_requests_total", serves=("MET-AG-07",), plane=_PLANE, components=_ON_AGENT)
def AGENT_IMAGE_CACHE_REQUESTS(*, result: Annotated[Literal["hit", "miss"], c.RESULT]) -> None:
    """Images asked of the cache."""


@counter("agent_image_cache_evictions_total", serves=("MET-AG-08",), plane=_PLANE, components=_ON_AGENT)
def AGENT_IMAGE_CACHE_EVICTIONS(*, kind: CacheKind, reason: Annotated[Literal["gc", "disk_pressure"], c.REASON]) -> None:
    """Entries removed from the image cache: at its own limit, or because the disk filled up."""


@span_kind("agent.image_pull", serves=("TRC-09",), plane=_PLANE, components=_ON_AGENT)
def AGENT_IMAGE_PULL() -> None:
    """An image brought to this node."""


@span_kind("agent.image_convert", serves=("TRC-09",), plane=_PLANE, components=_ON_AGENT)
def AGENT_IMAGE_CONVERT() -> None:
    """A pulled image made into what an instance boots from."""


# --- volume pool and disk pressure (MET-AG-12, MET-AG-13) -----------------------------------------


@gauge("agent_volume_pool_size_bytes", serves=("MET-AG-12",), plane=_PLANE, components=_ON_AGENT)
def AGENT_VOLUME_POOL_SIZE() -> None:
    """Size of the pool that volumes are cut from."""


@gauge("agent_volume_pool_used_bytes", serves=("MET-AG-12",), plane=_PLANE, components=_ON_AGENT)
def AGENT_VOLUME_POOL_USED() -> None:
    """Space in the pool that is given away."""


@gauge(
    "agent_disk_pressure", serves=("MET-AG-12", "MET-AG-13"), plane=_PLANE, components=_ON_AGENT,
    across_workers=AcrossWorkers.MAX,
)  # fmt: skip
def AGENT_DISK_PRESSURE(*, kind: DiskKind) -> None:
    """1 from nine tenths full until it is down to seven tenths, else 0."""


# --- overlay (MET-AG-14 to MET-AG-16) -------------------------------------------------------------


@gauge("agent_overlay_peers", serves=("MET-AG-14",), plane=_PLANE, components=_ON_AGENT)
def AGENT_OVERLAY_PEERS(*, state: Annotated[Literal["configured", "fresh", "stale", "never"], c.STATE]) -> None:
    """Peers of the overlay: all of them, and by how recent their last handshake is."""


@counter("agent_overlay_probe_packets_total", serves=("MET-AG-15",), plane=_PLANE, components=_ON_AGENT)
def AGENT_OVERLAY_PROBE_PACKETS(*, result: Annotated[Literal["sent", "lost"], c.RESULT]) -> None:
    """Probes sent to peers, and those of them that were lost; absent where no probe runs."""


@gauge(
    "agent_overlay_packet_loss_max_ratio", serves=("MET-AG-15",), plane=_PLANE, components=_ON_AGENT,
    across_workers=AcrossWorkers.MAX,
)  # fmt: skip
def AGENT_OVERLAY_PACKET_LOSS() -> None:
    """Share of probes lost to the peer that lost most; absent where no probe runs."""


@gauge(
    "agent_overlay_handshake_age_max_seconds", serves=("MET-AG-16",), plane=_PLANE, components=_ON_AGENT,
    across_workers=AcrossWorkers.MAX,
)  # fmt: skip
def AGENT_OVERLAY_HANDSHAKE_AGE_MAX() -> None:
    """Age of the oldest last handshake of a configured peer; peers that never shook hands have none."""


@histogram("agent_overlay_handshake_age_seconds", serves=("MET-AG-16",), plane=_PLANE, components=_ON_AGENT, buckets=_AGES)
def AGENT_OVERLAY_HANDSHAKE_AGE() -> None:
    """Ages of the peers' last handshakes, all of them at each scan."""
