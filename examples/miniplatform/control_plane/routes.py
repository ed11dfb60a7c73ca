"""Routes: what the outside world reaches an env by."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from miniplatform.control_plane.auth import in_org, refuse_malformed
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.commands import Decision, execute
from miniplatform.control_plane.manifest import RouteSpec
from miniplatform.control_plane.quotas import require_room
from miniplatform.control_plane.tenancy import EnvId, env_of, listed, missing
from miniplatform.store.events import Conflict, NewEvent
from miniplatform.store.names import holder
from miniplatform.store.pool import Connection
from obslib.access import Scope
from obslib.ids import mint

__all__ = ["create_route", "delete_route", "list_routes", "show_route"]

_NAMED, _RAW_PORT = "route", "raw port"  # the scopes of a route's names
_COLUMNS = (
    "SELECT route_id, env_id, hostname, listener_port, process_type, backend_port, protocol, proxy_protocol, event_id"
    " FROM routes WHERE env_id = %(env)s AND org_id = %(org)s"
)


async def create_route(call: Call) -> Response:
    """``POST …/routes``. A raw TCP port leads to one route only; with TLS many hostnames, of any orgs, share one."""
    grant = await in_org(call, Scope.ROUTES_WRITE)
    wanted = await call.body(RouteSpec)
    route_id = mint("rt", call.platform.obs.ids)

    async def decide() -> Decision:
        env = await env_of(call, grant)
        await require_room(call, grant.org_id, "max_routes")
        claims = [(_NAMED, f"{wanted.hostname}:{wanted.listener_port}", route_id)]
        if wanted.protocol == "tcp_raw":
            claims.append((_RAW_PORT, str(wanted.listener_port), route_id))
        payload = {**wanted.model_dump(mode="json"), "backend_port": 0}
        created = _event(env, route_id, "route.created", payload)
        answer = {"route_id": route_id, "env_id": env.env_id, **payload}
        return Decision(events=[created], answer=answer, claims=claims, recheck=partial(_refuse_mixed_port, wanted, route_id))

    return await execute(call, "route.create", grant, decide)


async def delete_route(call: Call) -> Response:
    """``DELETE …/routes/{route}``."""
    grant = await in_org(call, Scope.ROUTES_WRITE)

    async def decide() -> Decision:
        env = await env_of(call, grant)
        route = await _find(call, env)
        deleted = _event(env, str(route["route_id"]), "route.deleted", {})
        return Decision(events=[deleted], answer={"route_id": route["route_id"]}, frees=str(route["route_id"]))

    return await execute(call, "route.delete", grant, decide)


async def list_routes(call: Call) -> Response:
    """``GET …/routes``."""
    grant = await in_org(call, Scope.ROUTES_READ)
    env = await env_of(call, grant)
    query = f"{_COLUMNS} AND route_id > %(after)s ORDER BY route_id LIMIT %(limit)s"
    return await listed(call, "route_id", query, {"env": env.env_id, "org": env.org_id})


async def show_route(call: Call) -> Response:
    """``GET …/routes/{route}``."""
    grant = await in_org(call, Scope.ROUTES_READ)
    return reply(await _find(call, await env_of(call, grant)))


async def _find(call: Call, env: EnvId) -> dict[str, object]:
    named = call.named("route")
    refuse_malformed(named, "rt")
    query = f"{_COLUMNS} AND route_id = %(route)s"
    row = await call.platform.database.row("view_read", query, {"env": env.env_id, "org": env.org_id, "route": named})
    if row is None:
        raise missing("route", named)
    return row


async def _refuse_mixed_port(wanted: RouteSpec, route_id: str, connection: Connection) -> None:
    """Raise Conflict when the port carries the other protocol: an edge refuses a config with both, and with it everybody's.

    The claims are asked, not the view, for of two that come at once the second has to see the first.
    """
    port = str(wanted.listener_port)
    if wanted.protocol == "tcp_raw":
        query = "SELECT 1 FROM name_claims WHERE scope = %s AND split_part(name, ':', 2) = %s AND aggregate_id <> %s LIMIT 1"
        found = await connection.execute(query, [_NAMED, port, route_id])
        if await found.fetchone() is not None:
            raise Conflict(
                f"port {port} carries tls_passthrough routes, and a tcp_raw route needs a port of its own; choose another"
            )
    elif await holder(connection, _RAW_PORT, port) is not None:
        raise Conflict(f"port {port} belongs to a tcp_raw route, which shares it with no other; choose another port")


def _event(env: EnvId, route_id: str, event_type: str, payload: dict[str, object]) -> NewEvent:
    return NewEvent(
        aggregate_type="route", aggregate_id=route_id, event_type=event_type, payload=payload,
        org_id=env.org_id, app_id=env.app_id, env_id=env.env_id,
    )  # fmt: skip
