"""The baseline alerts, ALR-01 to ALR-11: thresholds from the requirements, each with an example that fires and a near miss.

A condition with a ticket and a page threshold is one alert of two rules. Every metric is aggregated, so that no alert
carries a label of the target it was scraped from, and none a tenant's. Why each looks as it does: ``specs/alerts.md``.
"""

from __future__ import annotations

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.platform import consumers, data_plane, durability, edge, runbooks
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.promql import Age, Window, query
from obslib.catalog.upkeep import Alert, Rule, Scene, Series, Severity

_MINUTE = 60.0
_HOUR = 3_600.0
_NODE = "node_01J00000000000000000000000"
_OTHER_NODE = "node_01J00000000000000000000001"
_THIRD_NODE = "node_01J00000000000000000000002"

# --- control plane --------------------------------------------------------------------------------

CONTROL_PLANE_API_DOWN = Alert(
    name="ControlPlaneApiDown", help="No control plane answers its scrapes.", plane=Plane.CONTROL_PLANE,
    components=(cp.CP,), serves=("ALR-01",), runbook=runbooks.CONTROL_PLANE_DOWN,
    rules=(
        Rule(
            severity=Severity.PAGE, for_s=2 * _MINUTE, fires_when_absent=True,
            query=query('(sum($up{job="control-plane"}) or vector(0)) == 0', up=c.UP),
            summary="The control plane's API is down: nobody can deploy, and agents and edges run on what they last knew.",
            fires=Scene((Series(c.UP, "1 0x10", {"job": "control-plane"}),), minutes=4),
            quiet=Scene((Series(c.UP, "0x10", {"job": "control-plane"}), Series(c.UP, "1x10", {"job": "control-plane"})), 10),
        ),
    ),
)  # fmt: skip

POSTGRES_DOWN = Alert(
    name="PostgresDown", help="The database does not answer.", plane=Plane.CONTROL_PLANE, components=(cp.CP,),
    serves=("ALR-02",), runbook=runbooks.POSTGRES_FAILOVER,
    rules=(
        Rule(
            severity=Severity.PAGE, for_s=2 * _MINUTE,
            query=query('max($db_up) == 0 or max($up{job="postgres"}) == 0', db_up=cp.DB_UP, up=c.UP),
            summary="PostgreSQL is down: no event can be appended and no view can move.",
            fires=Scene((Series(cp.DB_UP, "1 0x10", {"component": "control-plane"}),), minutes=4),
            quiet=Scene((
                Series(cp.DB_UP, "0x10", {"component": "scheduler"}), Series(cp.DB_UP, "1x10", {"component": "control-plane"}),
            ), minutes=10),
        ),
    ),
)  # fmt: skip

_REPLICATION_LAG = "max($lag) > {}"
POSTGRES_REPLICATION_BROKEN = Alert(
    name="PostgresReplicationBroken", help="A replica is missing or behind.", plane=Plane.CONTROL_PLANE, components=(cp.CP,),
    serves=("ALR-03",), runbook=runbooks.POSTGRES_FAILOVER,
    rules=(
        Rule(
            severity=Severity.TICKET, for_s=5 * _MINUTE, reason="replica_missing",
            query=query(
                "max($connected) < max($expected)",
                connected=durability.DB_REPLICAS_CONNECTED, expected=durability.DB_REPLICAS_EXPECTED,
            ),
            summary="Fewer replicas stream from the primary than should.",
            fires=Scene((
                Series(durability.DB_REPLICAS_CONNECTED, "1x10"), Series(durability.DB_REPLICAS_EXPECTED, "2x10"),
            ), minutes=6),
            quiet=Scene((
                Series(durability.DB_REPLICAS_CONNECTED, "0x10"), Series(durability.DB_REPLICAS_EXPECTED, "0x10"),
            ), minutes=10),
        ),
        Rule(
            severity=Severity.TICKET, for_s=10 * _MINUTE, reason="replication_lag",
            query=query(_REPLICATION_LAG.format(60), lag=durability.DB_REPLICATION_LAG),
            summary="The worst replica is more than a minute behind.",
            fires=Scene((Series(durability.DB_REPLICATION_LAG, "61x15"),), minutes=12),
            quiet=Scene((Series(durability.DB_REPLICATION_LAG, "60x15"),), minutes=15),
        ),
        Rule(
            severity=Severity.PAGE, for_s=5 * _MINUTE, reason="replication_lag",
            query=query(_REPLICATION_LAG.format(900), lag=durability.DB_REPLICATION_LAG),
            summary="The worst replica is more than 15 minutes behind: losing the primary now loses that much.",
            fires=Scene((Series(durability.DB_REPLICATION_LAG, "901x10"),), minutes=6),
            quiet=Scene((Series(durability.DB_REPLICATION_LAG, "901x3 0x10"),), minutes=10),
        ),
    ),
)  # fmt: skip


def _append_errors(severity: Severity, share: str, minutes: int, failures: str, near_miss: str, summary: str) -> Rule:
    return Rule(
        severity=severity, for_s=minutes * _MINUTE,
        query=query(
            'sum(increase($appends{result="failure"}[$window])) / sum(increase($appends[$window]))'
            f" > {share} and sum(increase($appends[$window])) >= 10",
            appends=cp.EVENT_APPENDS, window=Window(5 * _MINUTE),
        ),
        summary=summary,
        fires=Scene((
            Series(cp.EVENT_APPENDS, "0+100x30", {"result": "success"}),
            Series(cp.EVENT_APPENDS, failures, {"result": "failure"}),
        ), minutes=20),
        quiet=Scene((
            Series(cp.EVENT_APPENDS, "0+1x30", {"result": "success"}),
            Series(cp.EVENT_APPENDS, near_miss, {"result": "failure"}),
        ), minutes=30),
    )  # fmt: skip


EVENT_APPEND_ERROR_SPIKE = Alert(
    name="EventAppendErrorSpike", help="Appends to the event log fail.", plane=Plane.CONTROL_PLANE, components=(cp.CP,),
    serves=("ALR-04",), runbook=runbooks.CONTROL_PLANE_DOWN,
    rules=(
        _append_errors(
            Severity.TICKET, "0.01", 10, "0+2x30", "0x20 1x10", "More than 1 % of appends to the event log fail.",
        ),
        _append_errors(
            Severity.PAGE, "0.05", 5, "0+6x30", "0x20 1x10", "More than 5 % of appends to the event log fail.",
        ),
    ),
)  # fmt: skip


def _projection_lag(severity: Severity, events: int, summary: str) -> Rule:
    return Rule(
        severity=severity, for_s=10 * _MINUTE, summary=summary,
        query=query(f"max by (projection) ($lag) > {events}", lag=cp.PROJECTION_LAG),
        fires=Scene((
            Series(cp.PROJECTION_LAG, f"{events + 1}x15", {"projection": "envs"}),
            Series(cp.PROJECTION_LAG, "0x15", {"projection": "nodes"}),
        ), minutes=12, labels={"projection": "envs"}),
        quiet=Scene((Series(cp.PROJECTION_LAG, f"{events}x15", {"projection": "envs"}),), minutes=15),
    )  # fmt: skip


PROJECTION_LAG_HIGH = Alert(
    name="ProjectionLagHigh", help="A projection is behind the events it consumes.", plane=Plane.CONTROL_PLANE,
    components=(cp.PROJECTOR,), serves=("ALR-05",), runbook=runbooks.PROJECTION_LAG,
    rules=(
        _projection_lag(Severity.TICKET, 5_000, "A projection is more than 5 000 events behind."),
        _projection_lag(Severity.PAGE, 50_000, "A projection is more than 50 000 events behind: what is shown is long past."),
        Rule(
            severity=Severity.PAGE, for_s=10 * _MINUTE, reason="unknown",
            query=query('absent($lag) and sum($up{job="control-plane"}) > 0', lag=cp.PROJECTION_LAG, up=c.UP),
            summary="Nobody says how far the projections are, while the API takes events: the projector is gone or hangs.",
            fires=Scene((Series(c.UP, "1x15", {"job": "control-plane"}),), minutes=12),
            quiet=Scene((
                Series(c.UP, "1x15", {"job": "control-plane"}), Series(cp.PROJECTION_LAG, "0x15", {"projection": "envs"}),
            ), minutes=15),
        ),
    ),
)  # fmt: skip

SCHEDULER_LOOP_STALLED = Alert(
    name="SchedulerLoopStalled", help="The scheduler finishes no pass.", plane=Plane.CONTROL_PLANE,
    components=(cp.SCHEDULER,), serves=("ALR-06",), runbook=runbooks.SCHEDULER_STALLED,
    rules=(
        Rule(
            severity=Severity.PAGE, for_s=_MINUTE, fires_when_absent=True,
            query=query(
                '(sum(increase($runs{result="success"}[$window])) or vector(0)) == 0',
                runs=cp.SCHEDULER_LOOP_RUNS, window=Window(5 * _MINUTE),
            ),
            summary="The scheduler has finished no pass in 5 minutes: nothing is placed, replaced or moved.",
            fires=Scene((
                Series(cp.SCHEDULER_LOOP_RUNS, "0+12x5 60x20", {"result": "success"}),
                Series(cp.SCHEDULER_LOOP_RUNS, "0+12x30", {"result": "failure"}),
            ), minutes=15),
            quiet=Scene((Series(cp.SCHEDULER_LOOP_RUNS, "0+1x20", {"result": "success"}),), minutes=15),
        ),
    ),
)  # fmt: skip

# --- edge -----------------------------------------------------------------------------------------

_AT_EDGE = {"node_id": _NODE}
EDGE_CONFIG_APPLY_FAILING = Alert(
    name="EdgeConfigApplyFailing", help="An edge does not take up what the control plane says.", plane=Plane.EDGE,
    components=("edge",), serves=("ALR-07",), runbook=runbooks.EDGE_PARTIAL_OUTAGE,
    rules=(
        Rule(
            severity=Severity.TICKET, for_s=10 * _MINUTE, reason="apply_failed",
            query=query(
                'sum by (node_id) (increase($reloads{result="failure"}[$window])) > 0',
                reloads=edge.EDGE_CONFIG_RELOADS, window=Window(10 * _MINUTE),
            ),
            summary="An edge fails to apply its config and serves the last good one.",
            fires=Scene((
                Series(edge.EDGE_CONFIG_RELOADS, "0x5 1+1x20", {"result": "failure", **_AT_EDGE}),
            ), minutes=20, labels=_AT_EDGE),
            quiet=Scene((
                Series(edge.EDGE_CONFIG_RELOADS, "0+1x30", {"result": "success", **_AT_EDGE}),
                Series(edge.EDGE_CONFIG_RELOADS, "0x30", {"result": "failure", **_AT_EDGE}),
            ), minutes=30),
        ),
        Rule(
            severity=Severity.TICKET, for_s=5 * _MINUTE, reason="no_progress",
            query=query(
                'max by (node_id) ($lag{consumer="edge"}) > 0'
                ' and max by (node_id) (changes($cursor{consumer="edge"}[$window])) == 0',
                lag=consumers.CONSUMER_CURSOR_LAG, cursor=consumers.CONSUMER_CURSOR, window=Window(_MINUTE),
            ),
            summary="An edge knows of newer events and does not get further.",
            fires=Scene((
                Series(consumers.CONSUMER_CURSOR_LAG, "3x10", {"consumer": "edge", **_AT_EDGE}),
                Series(consumers.CONSUMER_CURSOR, "7x10", {"consumer": "edge", **_AT_EDGE}),
            ), minutes=8, labels=_AT_EDGE),
            quiet=Scene((
                Series(consumers.CONSUMER_CURSOR_LAG, "3x10", {"consumer": "edge", **_AT_EDGE}),
                Series(consumers.CONSUMER_CURSOR, "7+1x10", {"consumer": "edge", **_AT_EDGE}),
            ), minutes=10),
        ),
    ),
)  # fmt: skip

EDGE_CANNOT_REACH_BACKENDS = Alert(
    name="EdgeCannotReachBackends", help="An edge fails to connect to the backends it knows.", plane=Plane.EDGE,
    components=("edge",), serves=("ALR-08",), runbook=runbooks.WIREGUARD_PARTITION,
    rules=(
        Rule(
            severity=Severity.PAGE, for_s=5 * _MINUTE, reason="connect_failures",
            query=query(
                'sum by (node_id) (increase($failures{reason!="no_eligible_backend"}[$window]))'
                " / sum by (node_id) (increase($connects[$window])) > 0.2"
                " and sum by (node_id) (increase($connects[$window])) >= 10",
                failures=edge.EDGE_UPSTREAM_FAILURES, connects=edge.EDGE_UPSTREAM_CONNECTS, window=Window(5 * _MINUTE),
            ),
            summary="More than a fifth of an edge's connections to backends fail.",
            fires=Scene((
                Series(edge.EDGE_UPSTREAM_CONNECTS, "0+7x20", {"result": "success", **_AT_EDGE}),
                Series(edge.EDGE_UPSTREAM_CONNECTS, "0+3x20", {"result": "failure", **_AT_EDGE}),
                Series(edge.EDGE_UPSTREAM_FAILURES, "0+3x20", {"reason": "timeout", **_AT_EDGE}),
            ), minutes=12, labels=_AT_EDGE),
            quiet=Scene((
                Series(edge.EDGE_UPSTREAM_CONNECTS, "0+9x20", {"result": "success", **_AT_EDGE}),
                Series(edge.EDGE_UPSTREAM_CONNECTS, "0+1x20", {"result": "failure", **_AT_EDGE}),
                Series(edge.EDGE_UPSTREAM_FAILURES, "0+1x20", {"reason": "timeout", **_AT_EDGE}),
                Series(edge.EDGE_UPSTREAM_FAILURES, "0+9x20", {"reason": "no_eligible_backend", **_AT_EDGE}),
            ), minutes=15),
        ),
        Rule(
            severity=Severity.PAGE, for_s=5 * _MINUTE, reason="none_reachable",
            query=query(
                'sum by (node_id) ($backends) > 0 unless sum by (node_id) ($backends{state="reachable"}) > 0',
                backends=edge.EDGE_BACKENDS,
            ),
            summary="An edge has backends and reaches none of them.",
            fires=Scene((
                Series(edge.EDGE_BACKENDS, "2x10", {"state": "unreachable", **_AT_EDGE}),
                Series(edge.EDGE_BACKENDS, "0x10", {"state": "reachable", **_AT_EDGE}),
            ), minutes=7, labels=_AT_EDGE),
            quiet=Scene((
                Series(edge.EDGE_BACKENDS, "2x10", {"state": "unreachable", **_AT_EDGE}),
                Series(edge.EDGE_BACKENDS, "1x10", {"state": "reachable", **_AT_EDGE}),
            ), minutes=10),
        ),
    ),
)  # fmt: skip

# --- nodes ----------------------------------------------------------------------------------------


def _beats(node_id: str, values: str) -> Series:
    return Series(cp.NODE_LAST_HEARTBEAT, values, {"node_id": node_id})


_SILENT = Age(_MINUTE)
AGENT_HEARTBEAT_MISSING = Alert(
    name="AgentHeartbeatMissing", help="Nodes do not report to the control plane.", plane=Plane.DATA_PLANE,
    components=("agent",), serves=("ALR-09",), runbook=runbooks.HOST_DEGRADED,
    rules=(
        Rule(
            severity=Severity.TICKET, for_s=10 * _MINUTE,
            query=query("time() - max by (node_id) ($heard) > $silent", heard=cp.NODE_LAST_HEARTBEAT, silent=_SILENT),
            summary="A node has not been heard for more than a minute.",
            fires=Scene((_beats(_NODE, "0x20"), _beats(_OTHER_NODE, "0+60x20")), minutes=13, labels={"node_id": _NODE}),
            quiet=Scene((_beats(_NODE, "0x9 600+60x20"),), minutes=20),
        ),
        Rule(
            severity=Severity.PAGE, for_s=5 * _MINUTE,
            query=query(
                "count(time() - max by (node_id) ($heard) > $silent) / count(max by (node_id) ($heard)) > 0.2",
                heard=cp.NODE_LAST_HEARTBEAT, silent=_SILENT,
            ),
            summary="More than a fifth of the nodes have not been heard for more than a minute.",
            fires=Scene((_beats(_NODE, "0x20"), _beats(_OTHER_NODE, "0+60x20"), _beats(_THIRD_NODE, "0+60x20")), minutes=8),
            quiet=Scene((
                _beats(_NODE, "0x20"),
                *(_beats(f"{_OTHER_NODE[:-1]}{n}", "0+60x20") for n in range(1, 5)),
            ), minutes=15),
        ),
    ),
)  # fmt: skip


def _disk(severity: Severity, share: str, minutes: int, free: int, near_miss: int, summary: str) -> Rule:
    of = {"kind": "scratch", **_AT_EDGE}
    return Rule(
        severity=severity, for_s=minutes * _MINUTE, summary=summary,
        query=query(
            f"min by (node_id, kind) ($free / $size) < {share}",
            free=data_plane.AGENT_DISK_FREE, size=data_plane.AGENT_DISK_SIZE,
        ),
        fires=Scene((
            Series(data_plane.AGENT_DISK_FREE, f"{free}x40", of), Series(data_plane.AGENT_DISK_SIZE, "1000x40", of),
        ), minutes=minutes + 2, labels=of),
        quiet=Scene((
            Series(data_plane.AGENT_DISK_FREE, f"{near_miss}x40", of), Series(data_plane.AGENT_DISK_SIZE, "1000x40", of),
        ), minutes=40),
    )  # fmt: skip


HOST_DISK_PRESSURE_HIGH = Alert(
    name="HostDiskPressureHigh", help="A file system of a node is nearly full.", plane=Plane.DATA_PLANE,
    components=("agent",), serves=("ALR-10",), runbook=runbooks.HOST_DEGRADED,
    rules=(
        _disk(Severity.TICKET, "0.20", 30, 199, 200, "Less than a fifth of a node's file system is free."),
        _disk(Severity.PAGE, "0.10", 10, 99, 100, "Less than a tenth of a node's file system is free: boots will fail."),
    ),
)  # fmt: skip

# --- backups --------------------------------------------------------------------------------------


def _failing_backups(severity: Severity, minutes: int, summary: str) -> Rule:
    of = {"kind": "postgres_wal", "result": "failure"}
    return Rule(
        severity=severity, for_s=minutes * _MINUTE, reason="failing", summary=summary,
        query=query(
            'sum by (kind) (increase($runs{result="failure"}[$window])) > 0',
            runs=durability.BACKUP_RUNS, window=Window(30 * _MINUTE),
        ),
        fires=Scene((
            Series(durability.BACKUP_RUNS, "0+1x300", of),
        ), minutes=minutes + 2, labels={"kind": "postgres_wal"}),
        quiet=Scene((
            Series(durability.BACKUP_RUNS, f"0x10 1x{minutes + 10}", of),
        ), minutes=minutes + 20),
    )  # fmt: skip


BACKUP_FAILURES = Alert(
    name="BackupFailures", help="Backups fail, or the newest good one is too old.", plane=Plane.CONTROL_PLANE,
    components=(cp.CP,), serves=("ALR-11",), runbook=runbooks.BACKUP_RESTORE,
    rules=(
        _failing_backups(Severity.TICKET, 30, "Backups of one kind keep failing."),
        _failing_backups(Severity.PAGE, 240, "Backups of one kind have been failing for four hours."),
        Rule(
            severity=Severity.PAGE, for_s=5 * _MINUTE, reason="stale",
            query=query(
                'time() - max by (kind) ($good{kind="postgres_base"}) > $base'
                ' or time() - max by (kind) ($good{kind="postgres_wal"}) > $wal'
                ' or time() - max by (kind) ($good{kind="volume"}) > $volume',
                good=durability.BACKUP_LAST_SUCCESS, base=Age(26 * _HOUR), wal=Age(15 * _MINUTE), volume=Age(48 * _HOUR),
            ),
            summary="The newest good backup of one kind is older than its window: what was written since can be lost.",
            fires=Scene((
                Series(durability.BACKUP_LAST_SUCCESS, "0x60", {"kind": "postgres_wal"}),
                Series(durability.BACKUP_LAST_SUCCESS, "0x60", {"kind": "postgres_base"}),
            ), minutes=25, labels={"kind": "postgres_wal"}),
            quiet=Scene((
                Series(durability.BACKUP_LAST_SUCCESS, "0+60x60", {"kind": "postgres_wal"}),
                Series(durability.BACKUP_LAST_SUCCESS, "0x60", {"kind": "postgres_base"}),
            ), minutes=60),
        ),
        Rule(
            severity=Severity.PAGE, for_s=_HOUR, reason="stale_volumes",
            query=query("max($stale) > 0", stale=durability.BACKUP_STALE_VOLUMES),
            summary="Volumes have no good backup of the last two days.",
            fires=Scene((Series(durability.BACKUP_STALE_VOLUMES, "3x70"),), minutes=62),
            quiet=Scene((Series(durability.BACKUP_STALE_VOLUMES, "3x50 0x20"),), minutes=70),
        ),
    ),
)  # fmt: skip
