"""How long records are kept, for everybody to read; and the door to shortening the event log, which says why it is shut."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, StringConstraints
from starlette.responses import Response

from miniplatform.control_plane.auth import on_platform
from miniplatform.control_plane.call import Call, reply
from obslib.access import Scope

__all__ = ["discard_events", "show"]

Reference = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,8}-[0-9]{1,6}$|^$")]


class DiscardRequest(BaseModel):
    """What an attempt to shorten the event log rests on; nothing is assumed for what is left out."""

    policy_id: Reference = ""
    adr: Reference = ""


async def show(call: Call) -> Response:
    """``GET /v1/retention``: every key, its value and where it was written; the path only for operators."""
    lines = call.platform.obs.retention.lines()
    if not call.actor.is_operator:
        lines = [{**line, "source": Path(line["source"]).name} for line in lines]
    return reply({"items": lines})


async def discard_events(call: Call) -> Response:
    """``POST /v1/event-log/discard``: an operator's; 412 with the condition that is not met, on record either way."""
    on_platform(call, Scope.NODES_ADMIN)
    wanted = await call.body(DiscardRequest)
    gone = await call.platform.telemetry.event_log.discard_event_log(
        call.actor, policy_id=wanted.policy_id, adr=wanted.adr, now=call.platform.obs.clock.now(), request=call.origin
    )
    return reply({"discarded": gone})
