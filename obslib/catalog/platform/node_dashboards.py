"""The dashboards of nodes and edges: the fleet at a glance, one node in full, and what comes in."""

from __future__ import annotations

from obslib.catalog.declaration import Plane
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform import data_plane as dp
from obslib.catalog.platform import edge, resources
from obslib.catalog.promql import Window, query
from obslib.catalog.upkeep import Dashboard, Panel, Variable

_WINDOW = Window(300.0)

FLEET = Dashboard(
    name="nodes", title="Node fleet", uid="obs-nodes", version=1, plane=Plane.DATA_PLANE,
    help="Which node is silent, full or fails to boot what it is given.",
    serves=("EXT-12",),
    panels=(
        Panel(
            title="Silence", unit="s", legend="{{node_id}}", help="Since the last heartbeat; a minute is too long.",
            query=query("time() - max by (node_id) ($heard)", heard=cp.NODE_LAST_HEARTBEAT),
        ),
        Panel(
            title="Instances", unit="short", legend="{{state}}", help="On all nodes, as their agents report them.",
            query=query("sum by (state) ($instances)", instances=dp.AGENT_INSTANCES),
        ),
        Panel(
            title="Instances that are missing", unit="short", legend="{{node_id}}",
            help="Wanted on the node and not ready there.",
            query=query(
                'sum by (node_id) ($wanted) - sum by (node_id) ($instances{state="ready"})',
                wanted=dp.AGENT_INSTANCES_DESIRED, instances=dp.AGENT_INSTANCES,
            ),
        ),
        Panel(
            title="Boots", unit="ops", legend="{{result}}", help="More than one failure in ten is a bad kernel, image or host.",
            query=query("sum by (result) (rate($boots_count[$window]))", boots=dp.AGENT_BOOT_DURATION, window=_WINDOW),
        ),
        Panel(
            title="Failed boots", unit="ops", legend="{{reason}}", help="By the first thing that went wrong.",
            query=query("sum by (reason) (rate($failed[$window]))", failed=dp.AGENT_BOOT_FAILURES, window=_WINDOW),
        ),
        Panel(
            title="Disk free", unit="percentunit", legend="{{node_id}} {{kind}}",
            help="Under 20 % is a ticket, under 10 % a page.",
            query=query("min by (node_id, kind) ($free / $size)", free=dp.AGENT_DISK_FREE, size=dp.AGENT_DISK_SIZE),
        ),
        Panel(
            title="Oldest handshake", unit="s", legend="{{node_id}}",
            help="Above 180 s a peer is stale; empty without an overlay.",
            query=query("max by (node_id) ($age)", age=resources.AGENT_OVERLAY_HANDSHAKE_AGE_MAX),
        ),
        Panel(
            title="Instances ended for memory", unit="ops", legend="{{node_id}}", help="Empty until one was.",
            query=query(
                "sum by (node_id) (rate($kills[$window]))", kills=resources.AGENT_INSTANCE_OOM_KILLS, window=_WINDOW
            ),
        ),
    ),
)  # fmt: skip

NODE = Dashboard(
    name="node", title="Node drilldown", uid="obs-node", version=1, plane=Plane.DATA_PLANE,
    help="One node: what it runs, how its boots go and what it has left. One instance is a question for platform describe.",
    serves=("EXT-12",),
    variables=(Variable(name="node", metric=dp.AGENT_INSTANCES_DESIRED, label="node_id"),),
    panels=(
        Panel(
            title="Instances", unit="short", legend="{{state}}", help="As the agent sees them.",
            query=query('sum by (state) ($instances{node_id=~"${node}"})', instances=dp.AGENT_INSTANCES),
        ),
        Panel(
            title="Heartbeats", unit="ops", legend="{{result}}",
            help="Those that fail are made up for when the control plane answers.",
            query=query(
                'sum by (result) (rate($beats{node_id=~"${node}"}[$window]))', beats=dp.AGENT_HEARTBEATS, window=_WINDOW
            ),
        ),
        Panel(
            title="Reconciles", unit="ops", legend="{{result}}", help="Passes of the agent over its plan.",
            query=query(
                'sum by (result) (rate($runs{node_id=~"${node}"}[$window]))', runs=dp.AGENT_RECONCILE_RUNS, window=_WINDOW
            ),
        ),
        Panel(
            title="Phases of a boot, 95th percentile", unit="s", legend="{{kind}}", help="What a slow boot waits for.",
            query=query(
                'histogram_quantile(0.95, sum by (le, kind) (rate($took_bucket{node_id=~"${node}"}[$window])))',
                took=dp.AGENT_BOOT_PHASE, window=_WINDOW,
            ),
        ),
        Panel(
            title="Memory against its cap", unit="percentunit", legend="place {{rank}}",
            help="The ten instances nearest to their cap; empty where no control group is read.",
            query=query('max by (rank) ($ratio{node_id=~"${node}"})', ratio=resources.AGENT_INSTANCE_MEMORY_TOP_RATIO),
        ),
        Panel(
            title="Waiting for a processor", unit="percentunit", legend="{{process_type}}",
            help="Seconds a second; empty where no control group of version 2 is read.",
            query=query(
                'sum by (process_type) (rate($pressure{node_id=~"${node}"}[$window]))',
                pressure=resources.AGENT_INSTANCE_CPU_PRESSURE, window=_WINDOW,
            ),
        ),
        Panel(
            title="Disk free", unit="bytes", legend="{{kind}}", help="What new instances and images have.",
            query=query('min by (kind) ($free{node_id=~"${node}"})', free=dp.AGENT_DISK_FREE),
        ),
        Panel(
            title="Image cache", unit="bytes", legend="{{kind}}", help="Evicted at nine tenths of its limit.",
            query=query('sum by (kind) ($cached{node_id=~"${node}"})', cached=resources.AGENT_IMAGE_CACHE),
        ),
    ),
)  # fmt: skip

INGRESS = Dashboard(
    name="edge", title="Edge ingress", uid="obs-edge", version=1, plane=Plane.EDGE,
    help="What comes in, whether it reaches a backend, and whether each edge has taken up the newest config.",
    serves=("EXT-12",),
    panels=(
        Panel(
            title="Connections", unit="cps", legend="{{result}}", help="Of clients, by what became of them.",
            query=query("sum by (result) (rate($connections[$window]))", connections=edge.EDGE_CONNECTIONS, window=_WINDOW),
        ),
        Panel(
            title="Connections open", unit="short", legend="{{node_id}}", help="Past its limit a listener rejects.",
            query=query("sum by (node_id) ($active)", active=edge.EDGE_CONNECTIONS_ACTIVE),
        ),
        Panel(
            title="Failed connections to backends", unit="cps", legend="{{reason}}", help="A fifth of all is a page.",
            query=query("sum by (reason) (rate($failed[$window]))", failed=edge.EDGE_UPSTREAM_FAILURES, window=_WINDOW),
        ),
        Panel(
            title="Time to connect, median", unit="s", legend="{{node_id}}", help="The aim is 0.15 s.",
            query=query(
                "histogram_quantile(0.5, sum by (le, node_id) (rate($took_bucket[$window])))",
                took=edge.EDGE_UPSTREAM_CONNECT_DURATION, window=_WINDOW,
            ),
        ),
        Panel(
            title="Backends", unit="short", legend="{{node_id}} {{state}}",
            help="A node that reaches none of its backends is a page.",
            query=query("sum by (node_id, state) ($backends)", backends=edge.EDGE_BACKENDS),
        ),
        Panel(
            title="Routes without a backend", unit="short", legend="{{node_id}}", help="Clients of these are turned away.",
            query=query("max by (node_id) ($routes)", routes=edge.EDGE_ROUTES_WITHOUT_BACKENDS),
        ),
        Panel(
            title="Config applied", unit="ops", legend="{{node_id}} {{result}}",
            help="After a failure the old config stays in force.",
            query=query("sum by (node_id, result) (rate($reloads[$window]))", reloads=edge.EDGE_CONFIG_RELOADS, window=_WINDOW),
        ),
        Panel(
            title="Names asked for", unit="cps", legend="{{result}}", help="Clients of TLS listeners; all but ok are closed.",
            query=query("sum by (result) (rate($sniffs[$window]))", sniffs=edge.EDGE_SNI_SNIFFS, window=_WINDOW),
        ),
    ),
)  # fmt: skip
