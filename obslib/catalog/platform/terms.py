"""The platform's labels, fields and reason sets, each with its bound or prefix, and the types that carry them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from obslib.catalog.common import KIND, REASON, STATE
from obslib.catalog.labels import Joint, Label, Measure
from obslib.catalog.signals import Field, ReasonSet

# --- labels (requirements §2) ---------------------------------------------------------------------

METHOD = Label.closed("method", "GET", "POST", "PUT", "PATCH", "DELETE", "OTHER")
PATH_TEMPLATE = Label.budgeted("path_template", 96, why="the API's route table, fixed at start-up")
STATUS_CLASS = Label.closed("status_class", "1xx", "2xx", "3xx", "4xx", "5xx")
PROJECTION = Label.budgeted("projection", 32, why="fixed list of projections, 21 today")
EVENT_TYPE = Label.closed("event_type", at_most=47, why="docs/specs/state/event-types.md")
CONSUMER = Label.closed("consumer", "scheduler", "agent", "edge")
OPERATION = Label.closed("operation", at_most=16, why="requirements §3.6")
NODE_ID = Label.budgeted(
    "node_id", 64, id_prefix="node", counts=(Measure.NODES, Measure.EDGES),
    why="cluster size; the full mesh is planned for about 50 nodes",
)  # fmt: skip
ORG_ID = Label.budgeted("org_id", 500, id_prefix="org", counts=(Measure.ORGS,), why="customer count; low-rate families only")
ENV_ID = Label.budgeted(
    "env_id", 1_000, id_prefix="env", determines=("org_id",), counts=(Measure.ENVS,), quota="max_envs",
    why="max_envs quota; on a node, the instances that fit",
)  # fmt: skip
PROCESS_TYPE = Label.budgeted("process_type", 64, pattern=r"[a-z][a-z0-9-]{0,31}", why="manifest names")
ROUTE_ID = Label.budgeted("route_id", 500, id_prefix="rt", counts=(Measure.ROUTES,), quota="max_routes", why="max_routes quota")
LISTENER_PORT = Label.budgeted("listener_port", 64, pattern=r"[0-9]{1,5}", why="configured listeners only")

ROUTES = Joint(
    name="routes",
    labels=("method", "path_template"),
    at_most=96,
    reserved=tuple((m, "unmatched") for m in METHOD.values),
    why="the API's route table",
)
PLACED = Joint(name="placed", labels=("env_id", "process_type"), at_most=256, why="the groups that can be placed on one node")

Method = Annotated[Literal["GET", "POST", "PUT", "PATCH", "DELETE", "OTHER"], METHOD]
PathTemplate = Annotated[str, PATH_TEMPLATE]
StatusClass = Annotated[Literal["1xx", "2xx", "3xx", "4xx", "5xx"], STATUS_CLASS]
ProjectionName = Annotated[str, PROJECTION]
ConsumerName = Annotated[Literal["scheduler", "agent", "edge"], CONSUMER]
DbOperation = Annotated[
    Literal[
        "event_append", "event_read", "projection_apply", "checkpoint_write", "view_read", "idempotency", "auth",
        "log_write", "log_read", "lock", "health_probe", "registry_pull", "object_store", "agent_rpc",
    ],
    OPERATION,
]  # fmt: skip
NodeIdLabel = Annotated[str, NODE_ID]
EnvIdLabel = Annotated[str, ENV_ID]
ProcessTypeLabel = Annotated[str, PROCESS_TYPE]
RouteIdLabel = Annotated[str, ROUTE_ID]
ListenerPort = Annotated[str, LISTENER_PORT]
EventTypeLabel = Annotated[
    Literal[
        "org.created", "org.updated", "org_member.added", "org_member.role_updated", "org_member.removed",
        "service_principal.created", "service_principal.scopes_updated", "service_principal.secret_rotated",
        "service_principal.deleted", "project.created", "project.updated", "project.deleted", "app.created",
        "app.updated", "app.deleted", "env.created", "env.updated", "env.deleted", "env.desired_release_set",
        "env.scale_set", "env.ipv4_addon_enabled", "env.ipv4_addon_disabled", "release.created", "deploy.created",
        "deploy.status_changed", "route.created", "route.updated", "route.deleted", "secret_bundle.created",
        "secret_bundle.version_set", "volume.created", "volume.deleted", "volume_attachment.created",
        "volume_attachment.deleted", "snapshot.created", "snapshot.status_changed", "restore_job.created",
        "restore_job.status_changed", "instance.allocated", "instance.desired_state_changed",
        "instance.status_changed", "exec_session.granted", "exec_session.connected", "exec_session.ended",
        "node.enrolled", "node.state_changed", "node.capacity_updated",
    ],
    EVENT_TYPE,
]  # fmt: skip
InstanceState = Annotated[Literal["preparing", "booting", "ready", "draining", "stopped", "failed"], STATE]
BootPhase = Annotated[Literal["image", "rootdisk", "network", "volume", "vmm_start", "handshake", "health"], KIND]

# --- reasons (requirements §3) --------------------------------------------------------------------

SchedulerReasonName = Literal[
    "no_capacity_memory", "no_nodes_active", "volume_locality_no_node", "volume_in_use", "volume_constraints_invalid",
    "ipam_exhausted", "ipam_unavailable", "secrets_missing", "org_quota_exceeded", "db_error", "internal",
]  # fmt: skip
SchedulerReason = Annotated[SchedulerReasonName, REASON]
InstanceReasonName = Literal[
    "image_pull_failed", "rootfs_build_failed", "firecracker_start_failed", "network_setup_failed",
    "volume_attach_failed", "secrets_missing", "secrets_injection_failed", "healthcheck_failed", "oom_killed",
    "crash_loop_backoff", "terminated_by_operator", "node_draining",
]  # fmt: skip
InstanceReason = Annotated[InstanceReasonName, REASON]
UpstreamReasonName = Literal[
    "timeout", "refused", "reset", "unreachable", "no_eligible_backend", "proxy_header_write", "closed_early", "internal",
]  # fmt: skip
UpstreamReason = Annotated[UpstreamReasonName, REASON]

SCHEDULER_REASONS = ReasonSet(name="scheduler", values=get_args(SchedulerReasonName), fallback="internal")
SecretsReasonName = Literal[
    "secrets_missing", "master_key_unavailable", "decrypt_failed", "integrity_failed", "format_invalid",
    "secrets_write_failed", "secrets_injection_failed",
]  # fmt: skip
VolumeReasonName = Literal[
    "volume_not_present_on_node", "device_attach_failed", "filesystem_mismatch", "mount_path_invalid", "mount_failed",
    "read_only_attach_failed", "busy_or_already_attached", "volume_attach_failed",
]  # fmt: skip
SnapshotReasonName = Literal["preflight_failed", "snapshot_create_failed", "quiesce_failed", "internal_error"]
RestoreReasonName = Literal[
    "snapshot_not_found", "snapshot_not_succeeded", "backup_metadata_missing", "backup_object_missing",
    "master_key_unavailable", "node_not_eligible", "no_capacity", "download_failed", "decrypt_failed", "write_failed",
    "integrity_check_failed", "fsck_failed", "cleanup_failed", "internal_error",
]  # fmt: skip

_INSTANCE_REASON_OF: Mapping[str, str] = MappingProxyType(
    {
        "handshake_failed": "network_setup_failed",
        "config_parse_failed": "network_setup_failed",
        "net_config_failed": "network_setup_failed",
        "overlay_root_mount_failed": "rootfs_build_failed",
        "disk_full": "rootfs_build_failed",
        "workload_start_failed": "crash_loop_backoff",
        "workload_crashed": "crash_loop_backoff",
        "image_too_large": "image_pull_failed",
        "image_pull_timeout": "image_pull_failed",
        "image_layer_invalid": "image_pull_failed",
        "node_shutdown": "terminated_by_operator",
        "admin_kill": "terminated_by_operator",
        "eviction": "terminated_by_operator",
        **dict.fromkeys(get_args(SecretsReasonName), "secrets_injection_failed"),
        **dict.fromkeys(get_args(VolumeReasonName), "volume_attach_failed"),
        "secrets_missing": "secrets_missing",
    }
)
"""What the guest, a delivery or an attach calls a failure, and the instance's reason code for it (platform facts §10)."""

INSTANCE_REASONS = ReasonSet(
    name="instance_failure", values=get_args(InstanceReasonName), fallback="firecracker_start_failed",
    finer=_INSTANCE_REASON_OF,
)  # fmt: skip
SECRETS_REASONS = ReasonSet(name="secrets_delivery", values=get_args(SecretsReasonName), fallback="secrets_injection_failed")
VOLUME_REASONS = ReasonSet(name="volume_attach", values=get_args(VolumeReasonName), fallback="volume_attach_failed")
SNAPSHOT_REASONS = ReasonSet(name="snapshot", values=get_args(SnapshotReasonName), fallback="internal_error")
RESTORE_REASONS = ReasonSet(name="restore", values=get_args(RestoreReasonName), fallback="internal_error")
UPSTREAM_REASONS = ReasonSet(name="edge_upstream", values=get_args(UpstreamReasonName), fallback="internal")
TERMINATION_CLASSES = ReasonSet(
    name="termination",
    values=("oom", "crash", "operator_action", "upgrade", "scale_down", "boot_failure", "node_lost", "unknown"),
    fallback="unknown",
)
REASONS = (
    SCHEDULER_REASONS, INSTANCE_REASONS, UPSTREAM_REASONS, TERMINATION_CLASSES, SECRETS_REASONS, VOLUME_REASONS,
    SNAPSHOT_REASONS, RESTORE_REASONS,
)  # fmt: skip

# --- fields (LOG-06, LOG-07, STN-06, DBG-3-02) ------------------------------------------------------

FIELDS = (
    Field(name="org_id", help="Tenant; only through with_tenant().", id_prefix="org", is_tenant=True),
    Field(name="app_id", help="App of the org.", id_prefix="app"),
    Field(name="env_id", help="Deploy target of an app.", id_prefix="env"),
    Field(name="instance_id", help="One replica of a process type.", id_prefix="inst"),
    Field(name="route_id", help="Hostname and listener port bound to a process type.", id_prefix="rt"),
    Field(name="node_id", help="Machine that runs an agent or an edge.", id_prefix="node"),
    Field(name="release_id", help="Immutable image and manifest.", id_prefix="rel"),
    Field(name="deploy_id", help="Act of moving an env to a release.", id_prefix="dep"),
    Field(name="boot_id", help="One attempt to bring an instance up.", id_prefix="boot"),
    Field(name="assignment_id", help="Placement of an instance on a node.", id_prefix="asgn"),
    Field(name="volume_id", help="Local block device, tied to its home node.", id_prefix="vol"),
    Field(name="attachment_id", help="Binding of a volume to an env, a process type and a path.", id_prefix="vat"),
    Field(name="snapshot_id", help="State of a volume at one moment.", id_prefix="snap"),
    Field(name="restore_id", help="Job that makes a new volume from a snapshot.", id_prefix="rjob"),
    Field(name="secret_version_id", help="Version of an env's secrets; never what they are.", id_prefix="sv"),
    Field(name="plan_id", help="Node plan that was applied."),
    Field(name="process_type", help="Named entry point of an app."),
    Field(name="event_id", help="Position in the event log."),
    Field(name="event_type", help="Type of the event."),
    Field(name="aggregate_type", help="Kind of thing the event is about."),
    Field(name="projection", help="Code that consumes events into a view."),
    Field(name="consumer", help="Reader of the event log: scheduler, agent or edge."),
    Field(name="method", help="HTTP method."),
    Field(name="path_template", help="Route template, never the path."),
    Field(name="status_code", help="HTTP status."),
    Field(name="actor_type", help="user, service_principal, node or system."),
    Field(name="actor_id", help="Who asked."),
    Field(name="peer_component", help="Component on the other side of a call."),
    Field(name="result", help="success or failure."),
    Field(name="decision", help="What the scheduler decided."),
    Field(name="group_spec_hash", help="Hash of what a group should be."),
    Field(name="replicas_desired", help="Instances wanted."),
    Field(name="replicas_ready", help="Instances ready."),
    Field(name="boot_seconds", help="From start to the first passed health check, in seconds."),
    Field(name="reason_code", help="Instance reason code, requirements §3.3."),
    Field(name="reason_detail", help="Finer reason, free of secrets."),
    Field(name="termination_class", help="Why the instance ended, requirements §3.5."),
    Field(name="exit_code", help="Exit status of the workload; negative for a signal; null when unknown."),
    Field(name="memory_usage_bytes", help="Memory in use at the last sample; null when there was none."),
    Field(name="memory_peak_bytes", help="Most memory used at any time of the boot; null when unknown."),
    Field(name="memory_limit_bytes", help="The memory cap; null when there was none."),
    Field(name="memory_cap_exceeded", help="Whether the memory cap ended the boot; null when nobody can tell."),
    Field(name="cpu_throttled_seconds", help="How long the boot was throttled in its last 60 s; null when unknown."),
    Field(name="cpu_pressure_ratio", help="Share of its last 60 s in which it waited for a processor; null when unknown."),
    Field(name="sampled_at", help="When the last sample was taken; null when there was none."),
    Field(name="routes_loaded", help="Routes in the applied config."),
    Field(name="applied_event_id", help="Event the applied config answers to."),
    Field(name="backend_address", help="Address of a backend, no payload."),
    Field(name="listener_port", help="Port of an edge listener."),
    Field(name="count", help="How many."),
    Field(name="kind", help="Kind of the thing, as in the metric beside it."),
    Field(name="audit_id", help="Id of an audit record.", id_prefix="aud"),
    Field(name="action", help="What was done, as the audit trail calls it."),
)
F = {field.name: field for field in FIELDS}

OrgId = Annotated[str, F["org_id"]]
AppId = Annotated[str, F["app_id"]]
EnvId = Annotated[str, F["env_id"]]
InstanceId = Annotated[str, F["instance_id"]]
RouteId = Annotated[str, F["route_id"]]
NodeId = Annotated[str, F["node_id"]]
ReleaseId = Annotated[str, F["release_id"]]
DeployId = Annotated[str, F["deploy_id"]]
BootId = Annotated[str, F["boot_id"]]
VolumeId = Annotated[str, F["volume_id"]]
AttachmentId = Annotated[str, F["attachment_id"]]
SnapshotId = Annotated[str, F["snapshot_id"]]
RestoreId = Annotated[str, F["restore_id"]]
SecretVersionId = Annotated[str, F["secret_version_id"]]
PlanId = Annotated[str, F["plan_id"]]
ProcessType = Annotated[str, F["process_type"]]
EventId = Annotated[int, F["event_id"]]
EventType = Annotated[str, F["event_type"]]
AggregateType = Annotated[str, F["aggregate_type"]]
Projection = Annotated[str, F["projection"]]
Consumer = Annotated[str, F["consumer"]]
HttpMethod = Annotated[str, F["method"]]
Template = Annotated[str, F["path_template"]]
StatusCode = Annotated[int, F["status_code"]]
ActorType = Annotated[str, F["actor_type"]]
PeerComponent = Annotated[str, F["peer_component"]]
ResultName = Annotated[str, F["result"]]
Decision = Annotated[str, F["decision"]]
GroupSpecHash = Annotated[str, F["group_spec_hash"]]
ReplicasDesired = Annotated[int, F["replicas_desired"]]
ReplicasReady = Annotated[int, F["replicas_ready"]]
BootSeconds = Annotated[float, F["boot_seconds"]]
ReasonCode = Annotated[str, F["reason_code"]]
ReasonDetail = Annotated[str, F["reason_detail"]]
TerminationClass = Annotated[str, F["termination_class"]]
ExitCode = Annotated[int | None, F["exit_code"]]
MemoryUsage = Annotated[int | None, F["memory_usage_bytes"]]
MemoryPeak = Annotated[int | None, F["memory_peak_bytes"]]
MemoryLimit = Annotated[int | None, F["memory_limit_bytes"]]
MemoryCapExceeded = Annotated[bool | None, F["memory_cap_exceeded"]]
CpuThrottled = Annotated[float | None, F["cpu_throttled_seconds"]]
CpuPressure = Annotated[float | None, F["cpu_pressure_ratio"]]
SampledAt = Annotated[str | None, F["sampled_at"]]
RoutesLoaded = Annotated[int, F["routes_loaded"]]
AppliedEventId = Annotated[int, F["applied_event_id"]]
BackendAddress = Annotated[str, F["backend_address"]]
ListenerPortField = Annotated[str, F["listener_port"]]
Count = Annotated[int, F["count"]]
Kind = Annotated[str, F["kind"]]
AuditId = Annotated[str, F["audit_id"]]
Action = Annotated[str, F["action"]]
