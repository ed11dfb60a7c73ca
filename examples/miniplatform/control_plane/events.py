"""The event log as a tenant may read it: pages of it, and a stream that follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import psycopg
from starlette.responses import Response

from miniplatform.control_plane.auth import in_org
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.recording import RecordedStream, read_in_org
from miniplatform.store.tokens import is_valid
from obslib.access import Grant, Reading, Scope
from obslib.errors import AccessDenied

__all__ = ["query_events", "stream_events"]

_REVOKED_WITHIN_S = 2.0
_QUIET_S = 10.0
_STREAM_PAGE = 200
_SELECTS = frozenset({"after_event_id", "event_type", "app_id", "env_id", "route_id", "instance_id", "since", "until"})
_IDS: Mapping[str, tuple[str, ...]] = {
    "app_id": ("app",),
    "env_id": ("env",),
    "route_id": ("rt", "inst"),  # either is the aggregate of its events, and clients have come to use it for both
    "instance_id": ("inst",),
}
_QUERY = (
    "SELECT event_id, occurred_at, aggregate_type, aggregate_id, aggregate_seq, event_type, actor_type, actor_id, org_id,"
    " app_id, env_id, request_id, correlation_id, traceparent, payload FROM events"
    " WHERE org_id = %(org)s AND aggregate_type <> 'node' AND event_id > %(after)s"
    " AND (%(type)s = '' OR event_type = %(type)s) AND (%(app)s = '' OR app_id = %(app)s)"
    " AND (%(env)s = '' OR env_id = %(env)s) AND (%(route)s = '' OR aggregate_id = %(route)s)"
    " AND (%(instance)s = '' OR aggregate_id = %(instance)s)"
    " AND (%(since)s::timestamptz IS NULL OR occurred_at >= %(since)s)"
    " AND (%(until)s::timestamptz IS NULL OR occurred_at < %(until)s)"
    " ORDER BY event_id LIMIT %(limit)s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which events of one org are asked for."""

    org_id: str
    after: int
    event_type: str
    app_id: str
    env_id: str
    route_id: str
    instance_id: str
    since: datetime | None
    until: datetime | None

    @staticmethod
    def of(call: Call, grant: Grant, *also: str, default_after: int = 0) -> Selection:
        """Read it from the query string, which may hold the parameters ``also`` besides.

        What is not understood is refused: an unfiltered answer would be taken for a filtered one.
        """
        call.takes_only(_SELECTS | set(also))
        ids = {parameter: call.identified(parameter, *prefixes) for parameter, prefixes in _IDS.items()}
        since, until = call.window()
        return Selection(
            org_id=grant.require(Scope.EVENTS_READ),
            after=call.number("after_event_id", default_after),
            event_type=call.asked("event_type"),
            **ids,
            since=since,
            until=until,
        )

    async def read(self, call: Call, limit: int) -> list[dict[str, Any]]:
        """The next ``limit`` of them, without what looks like a secret in a payload."""
        rows = await call.platform.database.rows(
            "event_read",
            _QUERY,
            {
                "org": self.org_id, "after": self.after, "type": self.event_type, "app": self.app_id, "env": self.env_id,
                "route": self.route_id, "instance": self.instance_id, "since": self.since, "until": self.until, "limit": limit,
            },
        )  # fmt: skip
        redacted = call.platform.obs.redactor.value
        return [{**row, "payload": redacted(row["payload"])} for row in rows]


async def query_events(call: Call) -> Response:
    """``GET …/events``: a page, and where the next one starts."""
    grant = await in_org(call, Scope.EVENTS_READ)
    selection, page = Selection.of(call, grant, "limit"), call.page()
    events = await selection.read(call, page.limit)
    return reply({"items": events, "next_after_event_id": events[-1]["event_id"] if events else selection.after})


async def stream_events(call: Call) -> Response:
    """``GET …/events/stream``: NDJSON from ``after_event_id``, or from now on, until either side ends it.

    An empty line now and then keeps a quiet connection alive. It ends within seconds of the token's revocation, and
    when the database goes away; the reader comes back with the last ``seq`` it has seen. That it was opened, and how many
    events it gave, is on record.
    """
    async with AsyncExitStack() as held:
        asked = {name: call.asked(name) for name in _SELECTS & set(call.request.query_params)}
        reading = await held.enter_async_context(read_in_org(call, Scope.EVENTS_READ, action="events.stream", selectors=asked))
        selection = Selection.of(call, reading.grant, "poll_ms", default_after=await _newest(call))
        poll_s = call.number("poll_ms", 500, low=100, high=60_000) / 1000
        lines = _follow(call, reading, selection, poll_s)
        return RecordedStream(lines, held=held.pop_all(), media_type="application/x-ndjson")


async def _follow(call: Call, reading: Reading, selection: Selection, poll_s: float) -> AsyncIterator[bytes]:
    platform, token = call.platform, call.token
    clock = asyncio.get_running_loop().time
    checked_at = told_at = clock()
    try:
        while True:
            heard = platform.notices.count
            reading.grant.require(Scope.EVENTS_READ)  # an emergency may have ended meanwhile
            events = await selection.read(call, _STREAM_PAGE)
            if events:
                reading.count(len(events))
                selection = replace(selection, after=events[-1]["event_id"])
                causes = [event["traceparent"] or "" for event in reversed(events)]
                with platform.telemetry.changes.delivering("client", causes=causes, cursor_event_id=selection.after):
                    yield b"".join(map(_line, events))
                told_at = clock()
            elif clock() - told_at > _QUIET_S:
                yield b"\n"
                told_at = clock()
            if clock() - checked_at > _REVOKED_WITHIN_S:
                if not await is_valid(platform.database, token):
                    return
                checked_at = clock()
            if len(events) < _STREAM_PAGE:
                await platform.notices.after(heard, timeout_s=poll_s)
    except (psycopg.OperationalError, AccessDenied):
        return


def _line(event: Mapping[str, Any]) -> bytes:
    told = {
        "ts": event["occurred_at"],
        "seq": event["event_id"],
        "type": event["event_type"],
        **{name: event[name] for name in ("aggregate_type", "aggregate_id", "app_id", "env_id", "payload")},
    }
    return orjson.dumps(told, option=orjson.OPT_UTC_Z) + b"\n"


async def _newest(call: Call) -> int:
    row = await call.platform.database.row("event_read", "SELECT coalesce(max(event_id), 0) AS newest FROM events")
    return 0 if row is None else int(row["newest"])
