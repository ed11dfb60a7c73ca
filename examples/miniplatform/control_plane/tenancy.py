"""From the names in a path to the rows they mean, never leaving the grant's org."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from miniplatform.control_plane.auth import refuse_malformed
from miniplatform.control_plane.call import Call, reply
from obslib.access import Grant, Resource, not_found

__all__ = ["EnvId", "app_of", "env_of", "listed", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvId:
    """An env and where it belongs."""

    org_id: str
    app_id: str
    env_id: str


def missing(kind: str, named: str) -> Exception:
    """The answer for what is not there, and for what is somebody else's."""
    return not_found(Resource(type=kind, id=named))


async def app_of(call: Call, grant: Grant) -> str:
    """The id of the app the path names by id or name, in the grant's org."""
    named = call.named("app")
    refuse_malformed(named, "app")
    row = await call.platform.database.row(
        "view_read",
        "SELECT app_id FROM apps WHERE org_id = %(org)s AND (app_id = %(named)s OR name = %(named)s)",
        {"org": grant.org_id, "named": named},
    )
    if row is None:
        raise missing("app", named)
    return str(row["app_id"])


async def env_of(call: Call, grant: Grant) -> EnvId:
    """The env the path names by id or name, of that app, in the grant's org."""
    named = call.named("env")
    refuse_malformed(named, "env")
    row = await call.platform.database.row(
        "view_read",
        "SELECT env_id, app_id, org_id FROM envs WHERE org_id = %(org)s AND app_id = %(app)s"
        " AND (env_id = %(named)s OR name = %(named)s)",
        {"org": grant.org_id, "app": await app_of(call, grant), "named": named},
    )
    if row is None:
        raise missing("env", named)
    return EnvId(**row)


async def listed(call: Call, key: str, query: Any, parameters: dict[str, object]) -> Response:
    """One page of a query that is ordered by ``key``, takes ``%(after)s`` and ``%(limit)s``, and names the next page."""
    page = call.page()
    rows = await call.platform.database.rows("view_read", query, {**parameters, "after": page.cursor, "limit": page.limit + 1})
    items = rows[: page.limit]
    return reply({"items": items, "next_cursor": items[-1][key] if len(rows) > page.limit else None})
