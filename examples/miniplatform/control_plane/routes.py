"""Routes: what the outside world reaches an env by."""

from __future__ import annotations

from starlette.responses import Response

from miniplatform.control_plane.auth import in_org, refuse_malformed
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.commands import Decision, execute
from miniplatform.control_plane.manifest import RouteSpec
from miniplatform.control_plane.tenancy import EnvId, env_of, listed, missing
from miniplatform.store.events import Conflict, NewEvent
from obslib.access import Scope
from obslib.ids import mint

__all__ = ["create_route", "delete_route", "list_routes", "show_route"]

_COLUMNS = (
    "SELECT route_id, env_id, hostname, listener_port, process_type, backend_port, protocol, proxy_protocol, event_id"
    " FROM routes WHERE env_id = %(env)s AND org_id = %(org)s"
)


async def create_route(call: Call) -> Response:
    """``POST …/routes``. A raw TCP port leads to one route only; with TLS many hostnames share one."""
    grant = await in_org(call, Scope.ROUTES_WRITE)
    wanted = await call.body(RouteSpec)
    route_id = mint("rt", call.platform.obs.ids)

    async def decide() -> Decision:
        env = await env_of(call, grant)
        claims = [("route", f"{wanted.hostname}:{wanted.listener_port}", route_id)]
        if wanted.protocol == "tcp_raw":
            claims.append(("raw port", str(wanted.listener_port), route_id))
        await _refuse_mixed_port(call, wanted)
        payload = {**wanted.model_dump(mode="json"), "backend_port": 0}
        created = _event(env, route_id, "route.created", payload)
        return Decision(events=[created], answer={"route_id": route_id, "env_id": env.env_id, **payload}, claims=claims)

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


async def _refuse_mixed_port(call: Call, wanted: RouteSpec) -> None:
    row = await call.platform.database.row(
        "view_read",
        "SELECT 1 FROM routes WHERE listener_port = %(port)s AND (protocol = 'tcp_raw') <> %(is_raw)s LIMIT 1",
        {"port": wanted.listener_port, "is_raw": wanted.protocol == "tcp_raw"},
    )
    if row is not None:
        raise Conflict(f"port {wanted.listener_port} is used with another protocol; choose another port")


def _event(env: EnvId, route_id: str, event_type: str, payload: dict[str, object]) -> NewEvent:
    return NewEvent(
        aggregate_type="route", aggregate_id=route_id, event_type=event_type, payload=payload,
        org_id=env.org_id, app_id=env.app_id, env_id=env.env_id,
    )  # fmt: skip
