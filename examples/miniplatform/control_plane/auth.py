"""Who asks, and whether they may: authentication by bearer token, authorization by obslib's one door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from miniplatform.control_plane.problems import InvalidArgument, Unauthorized
from miniplatform.store.pool import Database
from miniplatform.store.tokens import Bearer, bearer_of
from obslib.access import Actor, Grant, Resource, Scope, authorize, not_found
from obslib.ids import is_id

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

    A tenant's own org is known from the token, so nothing is looked up before the decision.
    """
    named = call.named("org")
    refuse_malformed(named, "org")
    own = named in (call.bearer.org_id, call.bearer.org_name)
    org_id = call.bearer.org_id if own else await _org_for_operator(call, named)
    return authorize(call.actor, scope, org_id or "", resource=Resource(type="org", id=named, path=call.request.url.path))


def on_platform(call: Call, scope: Scope) -> Grant:
    """The right to use ``scope`` on what belongs to no org, or AccessDenied."""
    return authorize(call.actor, scope, None, resource=Resource(type="platform", path=call.request.url.path))


def as_node(call: Call) -> str:
    """The node the path names, when the token is that node's own; to anybody else it does not exist."""
    named = call.named("node")
    refuse_malformed(named, "node")
    if call.bearer.node_id != named:
        raise not_found(Resource(type="node", id=named))
    return named


def refuse_malformed(segment: str, prefix: str) -> None:
    """Raise InvalidArgument for a path segment that pretends to be an id of ours and is none; names have no underscore."""
    if segment.startswith(f"{prefix}_") and not is_id(segment, prefix):
        raise InvalidArgument(f"malformed id {segment[:80]!r}: it must be {prefix}_ and 26 characters")


async def _org_for_operator(call: Call, named: str) -> str | None:
    if not call.actor.is_operator:
        return None
    row = await call.platform.database.row(
        "view_read", "SELECT org_id FROM orgs WHERE org_id = %(named)s OR name = %(named)s", {"named": named}
    )
    return None if row is None else str(row["org_id"])
