"""Taking a node out of service and back: an operator's wish, which the scheduler carries out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel
from starlette.responses import Response

from miniplatform.control_plane.auth import on_platform, refuse_malformed
from miniplatform.control_plane.call import Call
from miniplatform.control_plane.commands import Decision, execute
from miniplatform.control_plane.tenancy import missing
from miniplatform.store.events import Conflict, NewEvent
from obslib.access import Scope

__all__ = ["set_state"]

_FROM = {"draining": ("active", "degraded"), "active": ("draining", "disabled")}
"""From which states a node gets into each that can be wished for."""


class Wish(BaseModel):
    """``draining``: nothing new goes there, and what runs moves elsewhere. ``active``: it takes part again."""

    state: Literal["draining", "active"]


async def set_state(call: Call) -> Response:
    """``PUT /v1/nodes/{node}/state``: an operator's. A node that has been emptied is ``disabled`` by the scheduler."""
    grant = on_platform(call, Scope.NODES_ADMIN)
    named = call.named("node")
    refuse_malformed(named, "node")
    wanted = (await call.body(Wish)).state

    async def decide() -> Decision:
        row = await call.platform.database.row(
            "view_read", "SELECT name, state FROM nodes WHERE node_id = %(id)s AND kind = 'agent'", {"id": named}
        )
        if row is None:
            raise missing("node", named)
        if row["state"] not in _FROM[wanted]:
            raise Conflict(f"{row['name']} is {row['state']}; only what is {' or '.join(_FROM[wanted])} can become {wanted}")
        changed = NewEvent(
            aggregate_type="node", aggregate_id=named, event_type="node.state_changed",
            payload={"state": wanted, "reason": "operator_request"},
        )  # fmt: skip
        return Decision(events=[changed], answer={"node_id": named, "state": wanted})

    return await execute(call, "node.set_state", grant, decide)
