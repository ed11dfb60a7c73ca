"""Who asks, and whether they may: authentication by bearer token, authorization by obslib's doors.

What leaves a record of its own, such as reading logs, goes through ``recording`` instead of ``in_org``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from miniplatform.control_plane.naming import org_named, refuse_malformed, resource_of
from miniplatform.control_plane.problems import Unauthorized
from miniplatform.control_plane.recording import emergency_of, read_in_org
from miniplatform.store.pool import Database
from miniplatform.store.tokens import Bearer, bearer_of
from obslib.access import Actor, Grant, Refusal, Resource, Scope, authorize, decide

if TYPE_CHECKING:
    from miniplatform.control_plane.call import Call

__all__ = ["as_node", "authenticate", "in_org", "on_platform", "refuse_malformed"]

_LONGEST_TOKEN = 200


async def authenticate(database: Database, request: Request) -> tuple[Bearer, Actor]:
    """Whom the request's token speaks for; raises Unauthorized when that is nobody."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST_TOKEN:
        raise Unauthorized
    bearer = await bearer_of(database, token)
    if bearer is None:
        raise Unauthorized
    return bearer, Actor.of(actor_type=bearer.actor_type, actor_id=bearer.actor_id, org_id=bearer.org_id, scopes=bearer.scopes)


async def in_org(call: Call, scope: Scope) -> Grant:
    """The right to use ``scope`` in the org that the path names by id or name, or AccessDenied.

    An operator who declares an emergency gets it on record, until the request has been answered.
    """
    if emergency_of(call) is not None:
        reading = await call.held.enter_async_context(read_in_org(call, scope, action=call.action))
        return reading.grant
    return authorize(call.actor, scope, await org_named(call), resource=resource_of(call))


def on_platform(call: Call, scope: Scope) -> Grant:
    """The right to use ``scope`` on what belongs to no org, or AccessDenied."""
    return authorize(call.actor, scope, None, resource=Resource(type="platform", path=call.request.url.path))


def as_node(call: Call) -> str:
    """The node the path names, when the token is that node's own; to anybody else it does not exist."""
    named = call.named("node")
    refuse_malformed(named, "node")
    if call.bearer.node_id != named:
        raise Refusal(decide(call.actor, Scope.NODES_ADMIN, "", Resource(type="node", id=named)))
    return named
