"""What an env, a route and an instance are, should be, and why they differ: obslib's answers over our views."""

from __future__ import annotations

import time

from starlette.responses import Response

from miniplatform.control_plane.auth import in_org, refuse_malformed
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.tenancy import env_of, listed, missing
from obslib.access import Scope
from obslib.debug import describe_env, describe_instance, describe_route, env_status, why_env

__all__ = ["env", "instance", "list_instances", "route", "show_instance", "status", "why"]

_INSTANCES = (
    "SELECT i.instance_id, i.process_type, i.release_id, i.deploy_id, i.node_id, i.desired_state, i.desired_reason,"
    " coalesce(s.status, '') AS status, coalesce(s.boot_id, '') AS boot_id, coalesce(s.restarts, 0) AS restarts,"
    " coalesce(s.is_final, false) AS is_final, coalesce(s.reason_code, '') AS reason_code,"
    " coalesce(s.reason_detail, '') AS reason_detail, coalesce(s.termination_class, '') AS termination_class,"
    " s.exit_code, i.created_at, s.changed_at FROM instances_desired i LEFT JOIN instances_status s USING (instance_id)"
    " WHERE i.env_id = %(env)s AND i.org_id = %(org)s"
)


async def status(call: Call) -> Response:
    """``GET …/status``: releases, counts, routes, last error, and one word for all of it."""
    grant = await in_org(call, Scope.ENVS_READ)
    env = await env_of(call, grant)
    return reply(await env_status(call.platform.views, grant, env.env_id, now=time.time(), silent_after_s=_silent_s(call)))


async def env(call: Call) -> Response:
    """``GET …/describe``."""
    grant = await in_org(call, Scope.ENVS_READ)
    named = await env_of(call, grant)
    return reply(await describe_env(call.platform.views, grant, named.env_id, now=time.time(), silent_after_s=_silent_s(call)))


async def why(call: Call) -> Response:
    """``GET …/why``: the first broken link between the wish and a served request, and what changed before it broke."""
    grant = await in_org(call, Scope.ENVS_READ)
    named = await env_of(call, grant)
    return reply(await why_env(call.platform.views, grant, named.env_id, now=time.time(), silent_after_s=_silent_s(call)))


async def route(call: Call) -> Response:
    """``GET …/routes/{route}/describe``."""
    grant = await in_org(call, Scope.ENVS_READ)
    named = await env_of(call, grant)
    refuse_malformed(call.named("route"), "rt")
    found = await describe_route(
        call.platform.views, grant, named.env_id, call.named("route"), now=time.time(), silent_after_s=_silent_s(call)
    )
    return reply(found)


async def instance(call: Call) -> Response:
    """``GET …/instances/{instance}/describe``."""
    grant = await in_org(call, Scope.ENVS_READ)
    named = await env_of(call, grant)
    refuse_malformed(call.named("instance"), "inst")
    found = await describe_instance(
        call.platform.views, grant, named.env_id, call.named("instance"), now=time.time(), silent_after_s=_silent_s(call)
    )
    return reply(found)


async def list_instances(call: Call) -> Response:
    """``GET …/instances``, by process type and status if asked."""
    grant = await in_org(call, Scope.ENVS_READ)
    env = await env_of(call, grant)
    narrowed = (
        " AND (%(type)s = '' OR i.process_type = %(type)s) AND (%(status)s = '' OR coalesce(s.status, '') = %(status)s)"
        " AND i.instance_id > %(after)s ORDER BY i.instance_id LIMIT %(limit)s"
    )
    parameters: dict[str, object] = {
        "env": env.env_id, "org": env.org_id, "type": call.asked("process_type"), "status": call.asked("status"),
    }  # fmt: skip
    return await listed(call, "instance_id", _INSTANCES + narrowed, parameters)


async def show_instance(call: Call) -> Response:
    """``GET …/instances/{instance}``."""
    grant = await in_org(call, Scope.ENVS_READ)
    env, named = await env_of(call, grant), call.named("instance")
    refuse_malformed(named, "inst")
    query = f"{_INSTANCES} AND i.instance_id = %(instance)s"
    row = await call.platform.database.row("view_read", query, {"env": env.env_id, "org": env.org_id, "instance": named})
    if row is None:
        raise missing("instance", named)
    return reply(row)


def _silent_s(call: Call) -> float:
    return call.platform.timings.silent_after_s
