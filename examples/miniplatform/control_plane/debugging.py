"""How far everything has come: the operator's view of projections, consumers and edges."""

from __future__ import annotations

import time

from starlette.responses import Response

from miniplatform.control_plane.auth import on_platform, refuse_malformed
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.recording import read_on_platform
from obslib.access import Scope
from obslib.debug import describe_convergence, describe_edges

__all__ = ["consumers", "convergence", "edges", "projections"]


async def projections(call: Call) -> Response:
    """``GET /_debug/projections``: checkpoints and lag."""
    on_platform(call, Scope.NODES_ADMIN)
    found = await call.platform.views.projections()
    return reply({"items": [{**record.model_dump(mode="json"), "lag_events": record.lag_events} for record in found]})


async def consumers(call: Call) -> Response:
    """``GET /_debug/consumers``: cursors of the scheduler, the agents and the edges."""
    on_platform(call, Scope.NODES_ADMIN)
    found = await call.platform.views.consumers()
    return reply({"items": [{**record.model_dump(mode="json"), "lag_events": record.lag_events} for record in found]})


async def convergence(call: Call) -> Response:
    """``GET /_debug/convergence``: all of it, judged."""
    silent_after_s = call.platform.timings.silent_after_s
    async with read_on_platform(call, Scope.NODES_ADMIN, action="describe.convergence") as reading:
        return reply(
            await describe_convergence(call.platform.views, reading.grant, now=time.time(), silent_after_s=silent_after_s)
        )


async def edges(call: Call) -> Response:
    """``GET /_debug/edges``: what each edge serves and what it cannot; ``node`` names one by id or name."""
    silent_after_s = call.platform.timings.silent_after_s
    async with read_on_platform(call, Scope.NODES_ADMIN, action="describe.edges") as reading:
        call.takes_only({"node"})
        refuse_malformed(call.asked("node"), "node")
        return reply(
            await describe_edges(
                call.platform.views, reading.grant, now=time.time(), node=call.asked("node"), silent_after_s=silent_after_s
            )
        )
