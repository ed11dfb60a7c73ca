"""Workload logs: what nodes send, and what tenants read of it, on record, within the limits (platform facts §15, §21)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack

import orjson
import psycopg
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from miniplatform.control_plane.auth import as_node
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.recording import RecordedStream, read_in_org
from miniplatform.control_plane.tenancy import env_of
from miniplatform.store.pool import Database
from miniplatform.store.tokens import is_valid
from obslib.access import Grant, Opening, Reading, Scope
from obslib.errors import AccessDenied, StoreUnavailable
from obslib.wire import LogBatch
from obslib.workload import Selection, Stamp, Tail, query, told

__all__ = ["accept_logs", "placed_in", "query_logs", "stream_logs"]

_LARGEST_BATCH = 12_582_912  # 500 lines of 16 KiB in base64
_TAIL_LINES = 200
_REVOKED_WITHIN_S = 2.0
_QUIET_S = 10.0
_SELECTS = frozenset({"process_type", "instance_id", "since", "until", "tail_lines", "contains"})


async def accept_logs(call: Call) -> Response:
    """``POST /v1/nodes/{node}/logs``: a batch of lines; what is answered is durable."""
    node_id = as_node(call)
    batch = LogBatch.model_validate_json(await call.raw(most=_LARGEST_BATCH))
    ack = await call.platform.log_ingest.accept(node_id, batch)
    return Response(ack.model_dump_json(), 202, media_type="application/json")


def placed_in(database: Database) -> _Resolver:
    """Where instances are and whose they are, from the view of what is desired."""
    return _Resolver(database)


async def query_logs(call: Call) -> Response:
    """``GET …/logs``: the newest lines that match, oldest first."""
    async with _reading(call, "logs.query") as reading:
        selection = await _selection(call, reading.grant, tail_lines=call.number("tail_lines", _TAIL_LINES, low=1))
        records = await query(call.platform.log_store, reading.grant, selection)
        reading.count(len(records))
        return reply({"items": [told(record) for record in records]})


async def stream_logs(call: Call) -> Response:
    """``GET …/logs/stream``: NDJSON, the newest ``tail_lines`` (0 for none) and then what comes, until either side ends it.

    ``after`` is the ``position`` a reader has seen last; the header ``X-Log-Position`` has the one to come back with if the
    stream breaks before it gave any. A flood is thinned to the rate of the limits, with a marker for
    what was left out. An empty line now and then keeps a quiet connection alive. It ends within seconds of the token's
    revocation, whether or not the reader reads.
    """
    async with AsyncExitStack() as held:
        reading = await held.enter_async_context(_reading(call, "logs.tail"))
        logs, token = call.platform.telemetry.logs, call.token
        held.enter_context(logs.streams.open(str(reading.grant.org_id), hashlib.sha256(token.encode()).hexdigest()))
        default = logs.limits.max_query_lines if call.asked("since") else 0
        selection = await _selection(call, reading.grant, "after", tail_lines=call.number("tail_lines", default))
        after = call.number("after", 0) if call.asked("after") else None
        tail = logs.tail(call.platform.log_store, reading.grant, selection, after=after)
        begin = await tail.open()
        return _LogStream(call, reading, tail, begin, held.pop_all())


class _Resolver:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, instance_ids: Collection[str]) -> Mapping[str, Stamp]:
        rows = await self._database.rows(
            "view_read",
            "SELECT instance_id, org_id, app_id, env_id, process_type, node_id FROM instances_desired"
            " WHERE instance_id = ANY(%(ids)s)",
            {"ids": list(instance_ids)},
        )
        return {row.pop("instance_id"): Stamp(**row) for row in rows}


class _LogStream(RecordedStream):
    """Ends by itself once the token is revoked; a reader that does not read is cut off a moment later."""

    def __init__(self, call: Call, reading: Reading, tail: Tail, begin: int, held: AsyncExitStack) -> None:
        super().__init__(self._lines(reading, tail), held=held, media_type="application/x-ndjson")
        self.headers["X-Log-Position"] = str(begin)
        self._call = call
        self._is_revoked = False

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Send it."""
        sending = asyncio.ensure_future(super().__call__(scope, receive, send))
        revoked = asyncio.ensure_future(self._revoked())
        try:
            await asyncio.wait((sending, revoked), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, revoked):
                task.cancel()
            ends = await asyncio.gather(sending, revoked, return_exceptions=True)
        if isinstance(ends[0], Exception):
            raise ends[0]

    async def _revoked(self) -> None:
        """Return when the token has been revoked and the stream has had the time to end by itself."""
        while not self._is_revoked:
            await asyncio.sleep(_REVOKED_WITHIN_S / 2)
            try:
                self._is_revoked = not await is_valid(self._call.platform.database, self._call.token)
            except psycopg.OperationalError:
                self._is_revoked = True  # nobody knows whether it still may read
        await asyncio.sleep(_REVOKED_WITHIN_S)

    async def _lines(self, reading: Reading, tail: Tail) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop().time
        told_at = clock()
        try:
            async for records in tail.chunks():
                if self._is_revoked:
                    return
                if records:
                    reading.count(len(records))
                    yield b"".join(orjson.dumps(told(record)) + b"\n" for record in records)
                    told_at = clock()
                elif clock() - told_at > _QUIET_S:
                    yield b"\n"
                    told_at = clock()
        except (AccessDenied, StoreUnavailable):  # an emergency has ended, or the store is closed
            return


def _reading(call: Call, action: str) -> Opening:
    asked = {name: call.asked(name) for name in _SELECTS & set(call.request.query_params) - {"since", "until"}}
    since, until = (call.asked(name)[:40] for name in ("since", "until"))
    return read_in_org(call, Scope.LOGS_READ, action=action, selectors=asked, since=since, until=until)


async def _selection(call: Call, grant: Grant, *also: str, tail_lines: int) -> Selection:
    """What the query string asks for, which may hold the parameters ``also`` besides, in the env that the path names."""
    call.takes_only(_SELECTS | set(also))
    env, limits = await env_of(call, grant), call.platform.telemetry.logs.limits
    since, until = (moment.timestamp() if moment else None for moment in call.window())
    begin = limits.window(since, until, now=call.platform.obs.clock.now(), is_operator=call.actor.is_operator)
    return Selection(
        env_id=env.env_id,
        process_type=call.asked("process_type"),
        instance_id=call.identified("instance_id", "inst"),
        since=begin,
        until=until,
        tail_lines=limits.lines(tail_lines),
        contains=call.asked("contains").encode(),
    )
