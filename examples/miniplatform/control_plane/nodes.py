"""Nodes: their enrolment by an operator, the plan an agent fetches, and what agents report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field
from starlette.responses import Response

from miniplatform.control_plane.auth import as_node, on_platform, refuse_malformed
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.commands import Decision, actor_of, execute
from miniplatform.control_plane.orgs import Name
from miniplatform.control_plane.tenancy import missing
from miniplatform.store import names
from miniplatform.store.checkpoints import positions, standing
from miniplatform.store.events import Conflict, NewEvent, append
from miniplatform.store.pool import Connection
from miniplatform.store.tokens import Bearer, issue, revoke_node
from miniplatform.store.views import AGENT_READS
from miniplatform.wire import NodePlan, PlannedInstance
from obslib.access import Scope
from obslib.ids import mint
from obslib.wire import EdgeReport, InstanceReport, NodeReport, TerminationReport

__all__ = ["accept_heartbeat", "accept_status", "enroll", "heartbeat", "plan"]


Kind = Literal["agent", "edge"]


class Enrolment(BaseModel):
    """A machine to take in."""

    name: Name
    kind: Kind
    address: str = Field(min_length=1, max_length=100)
    memory_bytes: int = Field(default=0, ge=0)


async def enroll(call: Call) -> Response:
    """``POST /v1/nodes``: an operator's. A known name keeps its id and gets a fresh token; older ones end."""
    grant = on_platform(call, Scope.NODES_ADMIN)
    wanted = await call.body(Enrolment)
    database = call.platform.database

    async def decide() -> Decision:
        async with database.transaction("view_read") as connection:
            known = await names.holder(connection, "node", wanted.name)
        node_id = known or mint("node", call.platform.obs.ids)
        before = await database.row("view_read", "SELECT kind FROM nodes WHERE node_id = %(node)s", {"node": node_id})
        if before is not None and before["kind"] != wanted.kind:
            raise Conflict(f"{wanted.name!r} is enrolled as {before['kind']}; choose another name")
        bearer = Bearer(actor_type="node", actor_id=node_id, org_id=None, scopes=frozenset(), node_id=node_id)

        async def secretly(connection: Connection) -> Mapping[str, Any]:
            await revoke_node(connection, node_id)
            return {"token": (await issue(connection, bearer)).reveal()}

        enrolled = NewEvent(
            aggregate_type="node", aggregate_id=node_id, event_type="node.enrolled", payload=wanted.model_dump(mode="json")
        )
        claim = ("node", wanted.name, node_id)
        answer = {"node_id": node_id, "name": wanted.name, "kind": wanted.kind}
        return Decision(events=[enrolled], answer=answer, claims=[claim], secretly=secretly)

    with call.platform.telemetry.tokens.minting("node"):
        return await execute(call, "node.enroll", grant, decide)


async def plan(call: Call) -> Response:
    """``GET /v1/nodes/{node}/plan``: all the node is to run, drain or stop."""
    node_id, database = as_node(call), call.platform.database
    cursor, head = standing(await positions(database), AGENT_READS)
    rows = await database.rows(
        "view_read",
        "SELECT i.instance_id, i.org_id, i.app_id, i.env_id, i.process_type, i.release_id, i.deploy_id, i.desired_state,"
        " i.desired_reason, i.spec, coalesce(i.traceparent, '') AS traceparent, i.event_id"
        " FROM instances_desired i LEFT JOIN instances_status s USING (instance_id) WHERE i.node_id = %(node)s"
        " AND NOT (i.desired_state = 'stopped' AND coalesce(s.status, '') IN ('stopped', 'failed')) ORDER BY i.instance_id",
        {"node": node_id},
    )
    instances = [PlannedInstance.model_validate(row) for row in rows]
    found = NodePlan.of(instances, cursor_event_id=cursor, head_event_id=head)
    changes = {row["instance_id"]: (row["event_id"], row["traceparent"]) for row in rows}
    with call.platform.deliveries.delivering(node_id, "agent", found.plan_id, changes, cursor_event_id=cursor):
        return Response(found.model_dump_json(), media_type="application/json")


async def heartbeat(call: Call) -> Response:
    """``POST /v1/nodes/{node}/heartbeat``: how far the agent is and how its instances are."""
    node_id = as_node(call)
    return await accept_heartbeat(call, node_id, "agent", await call.body(NodeReport))


async def accept_heartbeat(call: Call, node_id: str, kind: Kind, report: NodeReport | EdgeReport) -> Response:
    """Keep a node's report; it is not an event (platform facts §4)."""
    platform = call.platform
    await platform.database.rows(
        "agent_rpc",
        "INSERT INTO node_reports (node_id, consumer, seen_at, cursor_event_id, report)"
        " SELECT node_id, kind, now(), %(cursor)s, %(report)s FROM nodes WHERE node_id = %(node)s"
        " ON CONFLICT (node_id) DO UPDATE SET seen_at = EXCLUDED.seen_at, cursor_event_id = EXCLUDED.cursor_event_id,"
        " report = EXCLUDED.report RETURNING node_id",
        {"node": node_id, "cursor": report.cursor_event_id, "report": Jsonb(report.model_dump(mode="json"))},
    )
    platform.telemetry.changes.heard(node_id, kind, time.time())
    return reply({"accepted": True, "interval_seconds": platform.timings.heartbeat_s})


async def accept_status(call: Call) -> Response:
    """``POST /v1/nodes/{node}/instances/{instance}/status``: a change, which becomes an event.

    The same report sent again, as after a lost answer, is accepted and appends nothing. It does not wait for the
    views: an agent must get its reports out while the projector is away.
    """
    node_id, named = as_node(call), call.named("instance")
    refuse_malformed(named, "inst")
    report = InstanceReport.model_validate({**await call.json(), "instance_id": named})
    row = await call.platform.database.row(
        "view_read",
        "SELECT org_id, app_id, env_id, deploy_id FROM instances_desired WHERE instance_id = %(id)s AND node_id = %(node)s",
        {"id": named, "node": node_id},
    )
    if row is None:
        raise missing("instance", named)
    payload = _status_payload(report, node_id)
    changed = NewEvent(
        aggregate_type="instance", aggregate_id=named, event_type="instance.status_changed", payload=payload,
        org_id=row["org_id"], app_id=row["app_id"], env_id=row["env_id"], correlation_id=row["deploy_id"],
    )  # fmt: skip
    event_id = await _append_once(call, changed, report)
    return reply({"accepted": True, "event_id": event_id, "request_id": call.request_id}, 201)


async def _append_once(call: Call, changed: NewEvent, report: InstanceReport) -> int:
    platform = call.platform
    commands = platform.telemetry.commands
    with platform.obs.with_tenant(str(changed.org_id)), commands.appending([changed.event_type]) as appending:
        async with platform.database.transaction("event_append") as connection:
            known = await _last_status(connection, changed.aggregate_id)
            if known is not None and known["payload"] == changed.payload:
                return int(known["event_id"])
            [event_id] = await append(
                connection, [changed], actor=actor_of(call), request_id=call.request_id,
                traceparent=platform.obs.traces.traceparent(),
            )  # fmt: skip
            if report.termination is not None:
                await _keep_end(connection, changed, report.boot_id, report.termination)
        appending.done([(event_id, changed.event_type, changed.aggregate_type)])
    return event_id


async def _keep_end(connection: Connection, changed: NewEvent, boot_id: str, end: TerminationReport) -> None:
    """Keep the figures of the last end beside the log: an event's payload has no field for them (platform facts §22.31)."""
    await connection.execute(
        "INSERT INTO instance_ends (instance_id, org_id, boot_id, report) VALUES (%(id)s, %(org)s, %(boot)s, %(end)s)"
        " ON CONFLICT (instance_id) DO UPDATE SET boot_id = EXCLUDED.boot_id, report = EXCLUDED.report",
        {
            "id": changed.aggregate_id, "org": changed.org_id, "boot": boot_id,
            "end": Jsonb(end.model_dump(mode="json")),
        },
    )  # fmt: skip


async def _last_status(connection: Connection, instance_id: str) -> dict[str, Any] | None:
    found = await connection.execute(
        "SELECT event_id, payload FROM events WHERE aggregate_type = 'instance' AND aggregate_id = %s"
        " AND event_type = 'instance.status_changed' ORDER BY aggregate_seq DESC LIMIT 1",
        [instance_id],
    )
    return await found.fetchone()


def _status_payload(report: InstanceReport, node_id: str) -> dict[str, Any]:
    end = report.termination
    return {
        **report.model_dump(mode="json", include={"status", "boot_id", "address", "port", "restarts", "is_final"}),
        "node_id": node_id,
        "reason_code": end.reason_code if end else "",
        "reason_detail": end.reason_detail if end else "",
        "termination_class": str(end.termination_class) if end else "",
        "exit_code": end.exit_code if end else None,
    }
