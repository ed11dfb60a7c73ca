"""Apps and their envs."""

from __future__ import annotations

from starlette.responses import Response

from miniplatform.control_plane.auth import in_org
from miniplatform.control_plane.call import Call
from miniplatform.control_plane.commands import Decision, execute
from miniplatform.control_plane.orgs import Named
from miniplatform.control_plane.quotas import require_room
from miniplatform.control_plane.tenancy import app_of, listed
from miniplatform.store.events import NewEvent
from obslib.access import Scope
from obslib.ids import mint

__all__ = ["create_app", "create_env", "list_apps", "list_envs"]


async def create_app(call: Call) -> Response:
    """``POST …/apps``."""
    grant = await in_org(call, Scope.APPS_WRITE)
    name = (await call.body(Named)).name
    app_id = mint("app", call.platform.obs.ids)

    async def decide() -> Decision:
        await require_room(call, grant.org_id, "max_apps")
        created = NewEvent(
            aggregate_type="app", aggregate_id=app_id, event_type="app.created", org_id=grant.org_id, app_id=app_id,
            payload={"name": name},
        )  # fmt: skip
        claim = (f"app of {grant.org_id}", name, app_id)
        return Decision(events=[created], answer={"app_id": app_id, "name": name}, claims=[claim])

    return await execute(call, "app.create", grant, decide)


async def create_env(call: Call) -> Response:
    """``POST …/envs``."""
    grant = await in_org(call, Scope.ENVS_WRITE)
    name = (await call.body(Named)).name
    env_id = mint("env", call.platform.obs.ids)

    async def decide() -> Decision:
        app_id = await app_of(call, grant)
        await require_room(call, grant.org_id, "max_envs")
        created = NewEvent(
            aggregate_type="env", aggregate_id=env_id, event_type="env.created", org_id=grant.org_id, app_id=app_id,
            env_id=env_id, payload={"name": name},
        )  # fmt: skip
        answer = {"env_id": env_id, "app_id": app_id, "name": name}
        return Decision(events=[created], answer=answer, claims=[(f"env of {app_id}", name, env_id)])

    return await execute(call, "env.create", grant, decide)


async def list_apps(call: Call) -> Response:
    """``GET …/apps``."""
    grant = await in_org(call, Scope.APPS_READ)
    return await listed(
        call,
        "app_id",
        "SELECT app_id, name FROM apps WHERE org_id = %(org)s AND app_id > %(after)s ORDER BY app_id LIMIT %(limit)s",
        {"org": grant.org_id},
    )


async def list_envs(call: Call) -> Response:
    """``GET …/envs``."""
    grant = await in_org(call, Scope.ENVS_READ)
    return await listed(
        call,
        "env_id",
        "SELECT env_id, app_id, name FROM envs WHERE org_id = %(org)s AND app_id = %(app)s AND env_id > %(after)s"
        " ORDER BY env_id LIMIT %(limit)s",
        {"org": grant.org_id, "app": await app_of(call, grant)},
    )
