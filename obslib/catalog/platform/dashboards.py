"""The control plane's dashboards, declared on metric objects, and the one of the objectives.

``obslib build`` renders every dashboard as Grafana JSON, one folder a plane.
"""

from __future__ import annotations

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.platform import addresses, audit, delivery, durability, nodes, retention, secrets, tokens
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.promql import Window, query
from obslib.catalog.upkeep import Dashboard, Panel

_WINDOW = Window(300.0)
_LONG = Window(3_600.0)

PROJECTIONS = Dashboard(
    name="projections", title="Projection lag", uid="obs-projections", version=1, plane=Plane.CONTROL_PLANE,
    help="How far each projection is behind the events it consumes, and what holds it up.",
    serves=("DBG-2-04", "DBG-2-02"),
    panels=(
        Panel(
            title="Lag", unit="short", legend="{{projection}}", help="Event ids behind; 5 000 is a ticket, 50 000 a page.",
            query=query("max by (projection) ($lag)", lag=cp.PROJECTION_LAG),
        ),
        Panel(
            title="Lag in time", unit="s", legend="{{projection}}", help="Age of the oldest event not yet applied.",
            query=query("max by (projection) ($lag)", lag=cp.PROJECTION_LAG_SECONDS),
        ),
        Panel(
            title="Last applied event", unit="none", legend="{{projection}}",
            help="Checkpoints. A flat line beside a growing lag is a stuck projection; beside no lag it is a quiet one.",
            query=query("max by (projection) ($applied)", applied=cp.PROJECTION_LAST_APPLIED),
        ),
        Panel(
            title="Processing time, 95th percentile", unit="s", legend="{{event_type}}",
            help="Time to apply one event, by type: the family has no projection label, so that it stays in its budget.",
            query=query(
                "histogram_quantile(0.95, sum by (le, event_type) (rate($processing_bucket[$window])))",
                processing=cp.PROJECTION_PROCESSING, window=_WINDOW,
            ),
        ),
        Panel(
            title="Errors", unit="ops", legend="{{projection}} {{error_class}}",
            help="Events that could not be applied. The checkpoint stays before the event, so lag follows.",
            query=query(
                "sum by (projection, error_class) (rate($errors[$window]))", errors=cp.PROJECTION_ERRORS, window=_WINDOW
            ),
        ),
    ),
)  # fmt: skip

OVERVIEW = Dashboard(
    name="control-plane", title="Control plane overview", uid="obs-control-plane", version=1, plane=Plane.CONTROL_PLANE,
    help="Whether the API answers, appends events and has a database, and which of its loops does not turn.",
    serves=("EXT-12",),
    panels=(
        Panel(
            title="Ready", unit="none", legend="{{component}}",
            help="0 is a component that cannot do useful work; /readyz says why.",
            query=query("min by (component) ($ready)", ready=c.HEALTH_READY),
        ),
        Panel(
            title="Loops healthy", unit="none", legend="{{component}} {{loop}}", help="0 is a loop that fails or is wedged.",
            query=query("min by (component, loop) ($healthy)", healthy=c.LOOP_HEALTHY),
        ),
        Panel(
            title="Requests", unit="reqps", legend="{{status_class}}",
            help="Answers a second; more than 1 % of 5xx is a ticket.",
            query=query("sum by (status_class) (rate($requests[$window]))", requests=cp.HTTP_REQUESTS, window=_WINDOW),
        ),
        Panel(
            title="Request time, 95th percentile", unit="s", legend="{{method}}",
            help="The objective is 0.25 s for reads and 0.5 s for writes.",
            query=query(
                "histogram_quantile(0.95, sum by (le, method) (rate($took_bucket[$window])))",
                took=cp.HTTP_REQUEST_DURATION, window=_WINDOW,
            ),
        ),
        Panel(
            title="Appends", unit="ops", legend="{{result}}", help="A conflict is somebody who was faster, and no failure.",
            query=query("sum by (result) (rate($appends[$window]))", appends=cp.EVENT_APPENDS, window=_WINDOW),
        ),
        Panel(
            title="Append time, 95th percentile", unit="s", legend="{{result}}", help="A command cannot be faster than this.",
            query=query(
                "histogram_quantile(0.95, sum by (le, result) (rate($took_bucket[$window])))",
                took=cp.EVENT_APPEND_DURATION, window=_WINDOW,
            ),
        ),
        Panel(
            title="Database pool in use", unit="percentunit", legend="{{component}}",
            help="Above 90 % for ten minutes callers wait; by the process that is worst off.",
            query=query(
                'max by (component) ($connections{state="in_use"}) / max by (component) ($most)',
                connections=cp.DB_POOL_CONNECTIONS, most=cp.DB_POOL_CONNECTIONS_MAX,
            ),
        ),
        Panel(
            title="Quota refusals", unit="ops", legend="{{reason}}",
            help="Commands refused because an org has its fill, by quota.",
            query=query("sum by (reason) (rate($refused[$window]))", refused=delivery.QUOTA_REJECTIONS, window=_WINDOW),
        ),
    ),
)  # fmt: skip

SCHEDULER = Dashboard(
    name="scheduler", title="Scheduler health", uid="obs-scheduler", version=1, plane=Plane.CONTROL_PLANE,
    help="Whether the scheduler makes its passes, what it decides, and what it cannot place.",
    serves=("EXT-12",),
    panels=(
        Panel(
            title="Passes", unit="ops", legend="{{result}}", help="None that succeeds in five minutes is a page.",
            query=query("sum by (result) (rate($runs[$window]))", runs=cp.SCHEDULER_LOOP_RUNS, window=_WINDOW),
        ),
        Panel(
            title="Time of a pass, 95th percentile", unit="s", legend="pass", help="Grows with the groups there are.",
            query=query(
                "histogram_quantile(0.95, sum by (le) (rate($took_bucket[$window])))",
                took=cp.SCHEDULER_LOOP_DURATION, window=_WINDOW,
            ),
        ),
        Panel(
            title="Decisions", unit="ops", legend="{{decision}}",
            help="Single instances: placed, moved, ended, or nowhere to go.",
            query=query("sum by (decision) (rate($decisions[$window]))", decisions=cp.SCHEDULER_DECISIONS, window=_WINDOW),
        ),
        Panel(
            title="Unschedulable", unit="ops", legend="{{reason}}",
            help="Quota, capacity and addresses are different troubles.",
            query=query("sum by (reason) (rate($refused[$window]))", refused=cp.SCHEDULER_UNSCHEDULABLE, window=_WINDOW),
        ),
        Panel(
            title="Groups in backoff", unit="short", legend="groups", help="platform why env says what each waits for.",
            query=query("max($waiting)", waiting=cp.SCHEDULER_GROUPS_IN_BACKOFF),
        ),
        Panel(
            title="Time to a place, 95th percentile", unit="s", legend="instance", help="From the wish to the node.",
            query=query(
                "histogram_quantile(0.95, sum by (le) (rate($took_bucket[$window])))",
                took=delivery.TIME_TO_SCHEDULE, window=_WINDOW,
            ),
        ),
        Panel(
            title="Nodes", unit="short", legend="{{state}}", help="As of the last pass; only active ones take instances.",
            query=query("max by (state) ($nodes)", nodes=nodes.SCHEDULER_NODES),
        ),
        Panel(
            title="Blocked drains", unit="short", legend="nodes", help="Nodes that wait until there is room elsewhere.",
            query=query("max($blocked)", blocked=nodes.SCHEDULER_DRAINS_BLOCKED),
        ),
    ),
)  # fmt: skip

STORAGE = Dashboard(
    name="storage", title="Storage and backups", uid="obs-storage", version=1, plane=Plane.CONTROL_PLANE,
    help="How much data there is, whether it is replicated, and how old the newest good backup is.",
    serves=("EXT-12",),
    panels=(
        Panel(
            title="Event log on disk", unit="bytes", legend="event log", help="Indexes included; it only grows.",
            query=query("max($size)", size=durability.EVENT_LOG_SIZE),
        ),
        Panel(
            title="Events", unit="short", legend="events", help="As the database estimates them.",
            query=query("max($rows)", rows=durability.EVENT_LOG_ROWS),
        ),
        Panel(
            title="Replicas missing", unit="short", legend="replicas", help="Expected minus streaming; above 0 is a ticket.",
            query=query(
                "max($expected) - max($connected)",
                expected=durability.DB_REPLICAS_EXPECTED, connected=durability.DB_REPLICAS_CONNECTED,
            ),
        ),
        Panel(
            title="Replication lag", unit="s", legend="worst replica", help="Empty while no replica is connected.",
            query=query("max($lag)", lag=durability.DB_REPLICATION_LAG),
        ),
        Panel(
            title="Backups", unit="ops", legend="{{kind}} {{result}}", help="Empty where the host tells of none.",
            query=query("sum by (kind, result) (rate($runs[$window]))", runs=durability.BACKUP_RUNS, window=_LONG),
        ),
        Panel(
            title="Age of the newest good backup", unit="s", legend="{{kind}}",
            help="26 hours for the base, 15 minutes for the log and 48 hours for volumes are the limits.",
            query=query("time() - max by (kind) ($good)", good=durability.BACKUP_LAST_SUCCESS),
        ),
        Panel(
            title="Records purged", unit="ops", legend="{{kind}}", help="By the retention policy.",
            query=query("sum by (kind) (rate($purged[$window]))", purged=retention.RETENTION_PURGED, window=_LONG),
        ),
        Panel(
            title="Address pools in use", unit="percentunit", legend="{{kind}}", help="Empty where nobody allocates addresses.",
            query=query("max by (kind) ($used)", used=addresses.IPAM_POOL_USED),
        ),
    ),
)  # fmt: skip

ACCESS = Dashboard(
    name="access", title="Secrets and auth", uid="obs-access", version=1, plane=Plane.CONTROL_PLANE,
    help="Who is let in and who is not, whether accesses are on record, and whether secrets reach their instances.",
    serves=("EXT-12",),
    panels=(
        Panel(
            title="Tokens minted", unit="ops", legend="{{kind}} {{result}}",
            help="A failure is ours, a rejection the caller's.",
            query=query("sum by (kind, result) (rate($minted[$window]))", minted=tokens.TOKEN_MINTS, window=_WINDOW),
        ),
        Panel(
            title="Tokens refreshed", unit="ops", legend="{{result}}", help="Flat where the host refreshes none.",
            query=query("sum by (result) (rate($refreshed[$window]))", refreshed=tokens.TOKEN_REFRESHES, window=_WINDOW),
        ),
        Panel(
            title="Not let in", unit="reqps", legend="{{error_class}}",
            help="Requests without a valid token, or without the scope.",
            query=query(
                'sum by (error_class) (rate($errors{error_class="unauthorized"}[$window]))'
                ' or sum by (error_class) (rate($errors{error_class="forbidden"}[$window]))',
                errors=cp.HTTP_REQUEST_ERRORS, window=_WINDOW,
            ),
        ),
        Panel(
            title="Accesses on record", unit="ops", legend="{{result}}", help="Without its record no access is given.",
            query=query("sum by (result) (rate($records[$window]))", records=audit.AUDIT_RECORDS, window=_WINDOW),
        ),
        Panel(
            title="Accesses refused for want of a record", unit="ops", legend="{{reason}}",
            help="The audit trail is in trouble.",
            query=query("sum by (reason) (rate($refused[$window]))", refused=audit.AUDIT_REFUSED_READS, window=_WINDOW),
        ),
        Panel(
            title="Secrets kept out of logs", unit="ops", legend="{{kind}}", help="Each is a call that should not have had it.",
            query=query("sum by (kind) (rate($redacted[$window]))", redacted=c.LOG_REDACTIONS, window=_WINDOW),
        ),
        Panel(
            title="Secrets delivered", unit="ops", legend="{{result}} {{reason}}", help="Empty where the host delivers none.",
            query=query(
                "sum by (result, reason) (rate($delivered[$window]))",
                delivered=secrets.AGENT_SECRETS_DELIVERIES, window=_WINDOW,
            ),
        ),
    ),
)  # fmt: skip

OBJECTIVES = Dashboard(
    name="objectives", title="Objectives", uid="obs-objectives", version=1, plane=Plane.COMMON,
    help="The share of the last hour that was as good as promised; each has its aim in the title.",
    serves=("EXT-12",),
    panels=(
        Panel(
            title="API available, 99.9 %", unit="percentunit", legend="requests", help="Answers that are no 5xx.",
            query=query(
                '1 - (sum(rate($requests{status_class="5xx"}[$window])) or vector(0)) / sum(rate($requests[$window]))',
                requests=cp.HTTP_REQUESTS, window=_LONG,
            ),
        ),
        Panel(
            title="Reads within 0.25 s, 95 %", unit="percentunit", legend="reads", help="Of all GET requests.",
            query=query(
                'sum(rate($took_bucket{method="GET",le="0.25"}[$window])) / sum(rate($took_count{method="GET"}[$window]))',
                took=cp.HTTP_REQUEST_DURATION, window=_LONG,
            ),
        ),
        Panel(
            title="Writes within 0.5 s, 95 %", unit="percentunit", legend="writes", help="Of all requests that are no GET.",
            query=query(
                'sum(rate($took_bucket{method!="GET",le="0.5"}[$window])) / sum(rate($took_count{method!="GET"}[$window]))',
                took=cp.HTTP_REQUEST_DURATION, window=_LONG,
            ),
        ),
        Panel(
            title="Releases made, 99.5 %", unit="percentunit", legend="releases", help="What the caller can mend is left out.",
            query=query(
                'sum(rate($made{result="success"}[$window])) / sum(rate($made{result!="rejected"}[$window]))',
                made=delivery.RELEASE_CREATES, window=_LONG,
            ),
        ),
        Panel(
            title="Deploys converged within 2 min, 99 %", unit="percentunit", legend="deploys",
            help="Those that failed count as slow.",
            query=query(
                'sum(rate($took_bucket{result="success",le="120.0"}[$window])) / sum(rate($took_count[$window]))',
                took=delivery.DEPLOY_CONVERGENCE, window=_LONG,
            ),
        ),
    ),
)  # fmt: skip
