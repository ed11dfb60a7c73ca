"""The org's audit: who read what, from the audit trail, and who changed what, from the event log, as one timeline."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.problems import InvalidArgument
from miniplatform.control_plane.recording import read_in_org
from obslib.access import Access, AuditSelection, Scope

__all__ = ["query", "verify"]

_HASH = re.compile(r"[0-9a-f]{64}\Z")
_PARAMETERS = frozenset({"app_id", "env_id", "route_id", "since", "until", "limit"})
_CHANGES = (
    "SELECT event_id, occurred_at, event_type, aggregate_type, aggregate_id, actor_type, actor_id, app_id, env_id, request_id"
    " FROM events WHERE org_id = %(org)s AND aggregate_type <> 'node' AND (%(app)s = '' OR app_id = %(app)s)"
    " AND (%(env)s = '' OR env_id = %(env)s) AND (%(route)s = '' OR aggregate_id = %(route)s)"
    " AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)"
    " AND (%(until)s::timestamptz IS NULL OR occurred_at < %(until)s) ORDER BY event_id DESC LIMIT %(limit)s"
)


async def query(call: Call) -> Response:
    """``GET …/audit``: the newest ``limit`` entries of the window, oldest first; reading it is on record as well.

    ``kind`` is ``access`` for what was read or refused, ``change`` for an event. ``is_cut`` says that older ones match too.
    """
    asked = {name: call.asked(name) for name in ("app_id", "env_id", "route_id") if call.asked(name)}
    opening = read_in_org(
        call, Scope.AUDIT_READ, action="audit.query", selectors=asked, since=call.asked("since"), until=call.asked("until")
    )
    async with opening as reading:
        wanted = _selection(call)
        accesses = await call.platform.audit.read(reading.grant, wanted)
        parameters = {"org": reading.grant.require(Scope.AUDIT_READ), **wanted.parameters()}
        changes = await call.platform.database.rows("event_read", _CHANGES, parameters)
        told = [*map(_of_access, accesses), *map(_of_change, reversed(changes))]
        entries = sorted(told, key=lambda entry: str(entry["timestamp"]))
        shown = entries[-(wanted.limit - 1) :]
        reading.count(len(shown))
        return reply({"items": shown, "is_cut": len(entries) > len(shown)})


async def verify(call: Call) -> Response:
    """``GET …/audit/verify``: whether the org's chain is whole from its first record on, and its head, to be noted.

    ``head`` is one that was noted earlier: it shows whether the newest records were cut off since.
    """
    async with read_in_org(call, Scope.AUDIT_READ, action="audit.verify") as reading:
        call.takes_only({"head"})
        noted = call.asked("head")
        if noted and not _HASH.match(noted):
            raise InvalidArgument(f"head is {noted[:80]!r}; it must be the 64 hexadecimal digits of a head noted earlier")
        walk = await call.platform.audit.walk(reading.grant, head=noted or None)
        breach = {"seq": walk.breach.seq, "kind": walk.breach.kind} if walk.breach else None
        return reply({"records": walk.seq, "head": walk.head, "is_whole": breach is None, "breach": breach})


def _selection(call: Call) -> AuditSelection:
    """What is asked for, and one entry more, by which a cut is known."""
    call.takes_only(_PARAMETERS)
    since, until = call.window()
    return AuditSelection(
        app_id=call.identified("app_id", "app"),
        env_id=call.identified("env_id", "env"),
        route_id=call.identified("route_id", "rt"),
        since=since,
        until=until,
        limit=call.page().limit + 1,
    )


def _of_access(access: Access) -> dict[str, Any]:
    end = access.closed or access.opened
    told = {
        "kind": "access",
        "closed_at": access.closed.timestamp if access.closed else None,
        "result": end.result,
        "error_class": end.error_class,
        "lines": end.lines,
        "app_id": access.opened.selectors.get("app_id"),
        "env_id": access.opened.selectors.get("env_id"),
    }
    return {**access.opened.as_dict(), **told}


def _of_change(row: dict[str, Any]) -> dict[str, Any]:
    at = row["occurred_at"].isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "kind": "change",
        "timestamp": at,
        "event_id": row["event_id"],
        "action": row["event_type"],
        "resource_type": row["aggregate_type"],
        "resource_id": row["aggregate_id"],
        "decision": "allow",
        "result": "ok",
        **{name: row[name] for name in ("actor_type", "actor_id", "app_id", "env_id", "request_id")},
    }
