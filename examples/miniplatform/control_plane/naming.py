"""What a path names, before anything but the org has been looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miniplatform.control_plane.problems import InvalidArgument
from obslib.access import Resource
from obslib.ids import is_id

if TYPE_CHECKING:
    from miniplatform.control_plane.call import Call

__all__ = ["org_named", "refuse_malformed", "resource_of"]


async def org_named(call: Call) -> str:
    """The id of the org that the path names by id or name; empty when it is none the token could know of.

    A tenant's own org is known from the token, so nothing is looked up before the decision.
    """
    named = call.named("org")
    refuse_malformed(named, "org")
    if named in (call.bearer.org_id, call.bearer.org_name):
        return call.bearer.org_id or ""
    if not call.actor.is_operator:
        return ""
    row = await call.platform.database.row(
        "view_read", "SELECT org_id FROM orgs WHERE org_id = %(named)s OR name = %(named)s", {"named": named}
    )
    return "" if row is None else str(row["org_id"])


def resource_of(call: Call) -> Resource:
    """The org that the path names, as it was named."""
    return Resource(type="org", id=call.named("org"), path=call.request.url.path)


def refuse_malformed(segment: str, prefix: str) -> None:
    """Raise InvalidArgument for a path segment that pretends to be an id of ours and is none; names have no underscore."""
    if segment.startswith(f"{prefix}_") and not is_id(segment, prefix):
        raise InvalidArgument(f"malformed id {segment[:80]!r}: it must be {prefix}_ and 26 characters")
