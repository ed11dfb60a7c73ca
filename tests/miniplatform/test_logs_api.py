"""Workload logs through the API: from a node to a tenant's reader, on record, within the limits, and to nobody else."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import psycopg
import pytest

from miniplatform.store.migrate import ROLE
from obslib.wire import LogBatch, LogEntry, LogGap, rfc3339
from tests.miniplatform.event_stream import EventStream
from tests.miniplatform.platform_in_process import InProcess
from tests.miniplatform.test_nodes_api import INSTANCE, allocate, start

pytestmark = pytest.mark.slow

OTHER = "inst_01J00000000000000000000002"


def line(seq: int, text: str | bytes = "", *, ago_s: float = 0.0, instance: str = INSTANCE, **more: Any) -> LogEntry:
    """A line of the instance's first boot, of so many seconds ago."""
    raw = text.encode() if isinstance(text, str) else text
    return LogEntry(
        instance_id=instance, boot_id="boot_1", seq=seq, ts=rfc3339(time.time() - ago_s), stream="stdout", line=raw, **more
    )


async def send(agent: httpx.AsyncClient, node_id: str, *entries: LogEntry) -> dict[str, Any]:
    """Send a batch as an agent does; what was acknowledged."""
    body = LogBatch(entries=entries).model_dump_json()
    answer = await agent.post(f"/v1/nodes/{node_id}/logs", content=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def items(client: httpx.AsyncClient, path: str, **asked: object) -> list[dict[str, Any]]:
    """The items of a query."""
    answer = await client.get(path, params={name: str(value) for name, value in asked.items()})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_line_goes_from_its_node_to_its_reader(plane: InProcess) -> None:
    """The whole entry, stamped by the control plane; sent again it is known; its delay is measured (WLG-08, TEN-01)."""
    client, ids, node_id, agent = await start(plane)
    sent = line(1, "hello", ago_s=2)
    assert await send(agent, node_id, sent) == {"stored": 1, "duplicates": 0, "rejected": []}
    assert await send(agent, node_id, sent) == {"stored": 0, "duplicates": 1, "rejected": []}
    [found] = await items(client, f"{ids['env']}/logs")
    assert found == {
        "ts": sent.ts, "org_id": ids["org_id"], "app_id": ids["app_id"], "env_id": ids["env_id"], "process_type": "web",
        "instance_id": INSTANCE, "node_id": node_id, "boot_id": "boot_1", "seq": 1, "position": 1, "stream": "stdout",
        "line": "hello", "truncated": False,
    }  # fmt: skip
    assert plane.obs.sample("workload_log_delivery_delay_seconds_count") == 1
    assert plane.obs.sample("workload_log_delivery_delay_seconds_sum") >= 2
    assert plane.obs.sample("workload_log_ingested_lines_total", result="duplicate") == 1


async def test_bytes_that_are_no_text_are_shown_and_kept(plane: InProcess) -> None:
    """The text has them spelt out, the bytes themselves are beside it; a gap has its reason and size."""
    client, ids, node_id, agent = await start(plane)
    gap = LogGap(reason="buffer_full", lines=3, is_exact=False)
    await send(agent, node_id, line(1, b"\xff\x00\x1b[2J"), line(2, gap=gap), line(5, "é"))
    odd, lost, fine = await items(client, f"{ids['env']}/logs")
    assert (odd["line"], odd["line_base64"]) == ("\\xff\x00\x1b[2J", "/wAbWzJK")
    assert [lost[name] for name in ("kind", "reason", "count", "is_exact", "line")] == [
        "lines_lost", "buffer_full", 3, False, "",
    ]  # fmt: skip
    assert (fine["line"], "line_base64" in fine, "kind" in fine) == ("é", False, False)


async def test_a_node_speaks_for_its_own_instances_alone(plane: InProcess) -> None:
    """Lines of an instance on another node, or of none, are refused by name, counted and kept nowhere."""
    client, ids, node_id, agent = await start(plane)
    other_id, other = await plane.node("agent-2")
    await allocate(plane, ids, other_id, instance_id=OTHER)
    ack = await send(agent, node_id, line(1, "mine"), line(1, "forged", instance=OTHER), line(1, "x", instance="inst_none"))
    assert (ack["stored"], sorted(ack["rejected"])) == (1, [OTHER, "inst_none"])
    assert [found["line"] for found in await items(client, f"{ids['env']}/logs")] == ["mine"]
    assert plane.obs.sample("workload_log_ingested_lines_total", result="rejected") == 2
    assert plane.obs.events("workload_log.rejected")[0]["node_id"] == node_id
    for stranger in (other, client, plane.operator):
        body = LogBatch(entries=(line(2, "forged"),)).model_dump_json()
        assert (await stranger.post(f"/v1/nodes/{node_id}/logs", content=body)).status_code == 404
    assert (await agent.post(f"/v1/nodes/{node_id}/logs", content=b'{"entries": 1}')).status_code == 400


async def test_logs_are_narrowed_as_asked(plane: InProcess) -> None:
    """By process type, instance, time and number; what is not understood is refused."""
    client, ids, node_id, agent = await start(plane)
    await allocate(plane, ids, node_id, instance_id=OTHER)
    await send(agent, node_id, line(1, "old", ago_s=100), line(2, "new"), line(1, "other", instance=OTHER))
    logs = f"{ids['env']}/logs"
    assert [i["line"] for i in await items(client, logs, process_type="web")] == ["old", "new", "other"]
    assert await items(client, logs, process_type="worker") == []
    assert [i["line"] for i in await items(client, logs, instance_id=OTHER)] == ["other"]
    assert [i["line"] for i in await items(client, logs, since=rfc3339(time.time() - 50), instance_id=INSTANCE)] == ["new"]
    assert [i["line"] for i in await items(client, logs, until=rfc3339(time.time() - 50))] == ["old"]
    assert [i["line"] for i in await items(client, logs, tail_lines=1, instance_id=INSTANCE)] == ["new"]
    for wrong in ("colour=red", "instance_id=web", "since=yesterday", "tail_lines=x", "after=1"):
        assert (await client.get(f"{logs}?{wrong}")).status_code == 400, wrong


@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        ({"tail_lines": "10001"}, "limits.max_query_lines is 10000"),
        ({"since": "2026-01-31T09:00:00Z", "until": "2026-01-31T10:00:01Z"}, "limits.max_query_window_seconds is 3600"),
        ({"since": "2026-01-31T09:00:00Z"}, "limits.max_query_window_seconds is 3600"),
    ],
)
async def test_a_limit_that_is_passed_is_named(plane: InProcess, asked: dict[str, str], limit: str) -> None:
    """400 invalid_argument with the limit and its figure, for queries and for streams; at the limit all is well."""
    client, ids, _, _ = await start(plane)
    for path in (f"{ids['env']}/logs", f"{ids['env']}/logs/stream"):
        answer = await client.get(path, params=asked)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
        assert limit in answer.json()["detail"]
    fits = {"tail_lines": "10000", "since": "2026-01-31T09:00:00Z", "until": "2026-01-31T10:00:00Z"}
    assert (await client.get(f"{ids['env']}/logs", params=fits)).status_code == 200


async def test_a_stream_follows_and_goes_on_where_it_was(plane: InProcess) -> None:
    """What there was as far as asked for, then what comes; with ``after`` exactly what came since."""
    client, ids, node_id, agent = await start(plane)
    await send(agent, node_id, line(1, "a"), line(2, "b"), line(3, "c"))
    path = f"{ids['env']}/logs/stream"
    async with EventStream(plane.app, path, "tail_lines=2", client) as stream:
        seen = [await stream.line(), await stream.line()]
        await send(agent, node_id, line(4, "d"))
        seen.append(await stream.line())
    assert [entry["line"] for entry in seen] == ["b", "c", "d"]
    await send(agent, node_id, line(5, "e"))
    async with EventStream(plane.app, path, f"after={seen[-1]['position']}", client) as stream:
        assert (await stream.line())["line"] == "e"
    async with EventStream(plane.app, path, "", client) as stream:
        await stream.begun()
        await send(agent, node_id, line(6, "f"))
        assert (await stream.line())["line"] == "f"


async def test_a_stream_ends_when_its_token_is_revoked(plane: InProcess) -> None:
    """Within five seconds, and it gives its place back."""
    client, ids, _, _ = await start(plane)
    async with EventStream(plane.app, f"{ids['env']}/logs/stream", "", client) as stream:
        await stream.begun()
        await plane.database.rows(
            "auth", "UPDATE tokens SET revoked_at = now() WHERE org_id = %(org)s RETURNING org_id", {"org": ids["org_id"]}
        )
        async with asyncio.timeout(5):
            assert await stream.line() is None
    assert plane.obs.sample("workload_log_streams_active") == 0


async def test_a_reader_that_does_not_read_is_cut_off_all_the_same(plane: InProcess) -> None:
    """A stream whose reader takes nothing ends within seconds of the revocation, too, and gives its place back (R7)."""
    client, ids, node_id, agent = await start(plane)
    await send(agent, node_id, line(1, "a"))
    stream = EventStream(plane.app, f"{ids['env']}/logs/stream", "tail_lines=1", client)
    stuck = asyncio.Event()

    async def send_nothing(message: Any) -> None:
        if message["type"] == "http.response.body":
            stuck.set()
            await asyncio.Event().wait()

    stream._send = send_nothing  # type: ignore[method-assign]
    await stream.__aenter__()
    await stuck.wait()
    await plane.database.rows(
        "auth", "UPDATE tokens SET revoked_at = now() WHERE org_id = %(org)s RETURNING org_id", {"org": ids["org_id"]}
    )
    async with asyncio.timeout(5):
        await stream._task
    assert plane.obs.sample("workload_log_streams_active") == 0
    assert (await records(plane, ids["org_id"]))[-1]["phase"] == "close"


async def test_an_operator_reads_in_an_emergency_only_and_as_far_back_as_lines_are_kept(plane: InProcess) -> None:
    """On record in both chains; a window longer than a tenant's is an operator's alone (WLG-13)."""
    _, ids, node_id, agent = await start(plane)
    await send(agent, node_id, line(1, "a", ago_s=7_200))
    until = rfc3339(time.time() + 600)
    declared = {"X-Emergency-Reason": "INC-7: customer cannot log in", "X-Emergency-Until": until}
    asked = {"since": rfc3339(time.time() - 86_400)}
    assert (await plane.operator.get(f"{ids['env']}/logs", params=asked)).status_code == 404
    answer = await plane.operator.get(f"{ids['env']}/logs", params=asked, headers=declared)
    assert [item["line"] for item in answer.json()["items"]] == ["a"]
    for chain in ("platform", ids["org_id"]):
        assert [r["action"] for r in await records(plane, chain)][-2:] == ["logs.query", "logs.query"]


async def test_a_token_has_so_many_streams_and_no_more(plane: InProcess) -> None:
    """Five are open; the sixth is told 429, when to come back, and comes in once one has left."""
    client, ids, _, _ = await start(plane)
    path = f"{ids['env']}/logs/stream"
    streams = [EventStream(plane.app, path, "", client) for _ in range(5)]
    for stream in streams:
        await (await stream.__aenter__()).begun()
    assert plane.obs.sample("workload_log_streams_active") == 5
    refused = await client.get(path)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.json()["retry_after_seconds"] == int(refused.headers["retry-after"]) == 10
    assert "max_log_streams" in refused.json()["detail"]
    assert plane.obs.sample("workload_log_stream_rejections_total", reason="token_limit") == 1
    for stream in streams:
        await stream.__aexit__(None, None, None)
    await until(lambda: plane.obs.sample("workload_log_streams_active") == 0)
    async with EventStream(plane.app, path, "", client) as stream:
        await stream.begun()


async def test_to_another_org_there_are_no_logs(plane: InProcess) -> None:
    """404 and nothing else, for queries and streams, the same as for an env that never was."""
    _, ids, node_id, agent = await start(plane)
    await send(agent, node_id, line(1, "private"))
    stranger = await plane.org("globex")
    for ending in ("logs", "logs/stream"):
        foreign = await stranger.get(f"{ids['env']}/{ending}?tail_lines=10")
        missing = await stranger.get(f"/v1/orgs/nowhere/apps/web/envs/prod/{ending}?tail_lines=10")
        assert foreign.status_code == missing.status_code == 404
        assert _shape(foreign) == _shape(missing)
        assert "private" not in foreign.text
        assert (await plane.operator.get(f"{ids['env']}/{ending}")).status_code == 404
    reader = await plane.org("acme", role="readonly")
    assert [found["line"] for found in await items(reader, f"{ids['env']}/logs")] == ["private"]


async def test_without_the_record_not_a_line_is_readable(plane: InProcess, migrated_url: str) -> None:
    """With the audit trail broken queries and streams are 503, whatever they ask for (R8)."""
    client, ids, node_id, agent = await start(plane)
    await send(agent, node_id, line(1, "unseen"))
    with psycopg.connect(migrated_url, autocommit=True) as superuser:
        superuser.execute(f"REVOKE INSERT ON audit_records FROM {ROLE}")
    for path in ("logs", "logs?tail_lines=1", "logs/stream?tail_lines=10", f"logs?instance_id={INSTANCE}"):
        answer = await client.get(f"{ids['env']}/{path}")
        assert (answer.status_code, "unseen" in answer.text) == (503, False)
    assert plane.obs.sample("audit_refused_reads_total", reason="write_failed") == 4


async def test_reading_logs_is_on_record(plane: InProcess) -> None:
    """Who asked, for what, in which window, and how many lines it gave: a record before and one after (WLG-10)."""
    client, ids, node_id, agent = await start(plane)
    await send(agent, node_id, line(1, "a"), line(2, "b"))
    since = rfc3339(time.time() - 60)
    await items(client, f"{ids['env']}/logs", since=since, process_type="web")
    opened, closed = [r for r in await records(plane, ids["org_id"]) if r["action"] == "logs.query"]
    assert (opened["phase"], opened["action"], opened["scope"], opened["since"]) == ("open", "logs.query", "logs:read", since)
    assert opened["selectors"] == {"app_id": ids["app_id"], "env_id": ids["env_id"], "process_type": "web"}
    assert (closed["phase"], closed["lines"], closed["result"]) == ("close", 2, "ok")
    async with EventStream(plane.app, f"{ids['env']}/logs/stream", "tail_lines=1", client) as stream:
        await stream.line()
        assert (await records(plane, ids["org_id"]))[-1]["action"] == "logs.tail"
    while (last := (await records(plane, ids["org_id"]))[-1])["phase"] != "close":
        await asyncio.sleep(0.01)
    assert last["lines"] == 1


async def records(plane: InProcess, org_id: str) -> list[dict[str, Any]]:
    """The audit records of one org."""
    query = "SELECT record FROM audit_records WHERE org_id = %(org)s ORDER BY seq"
    return [row["record"] for row in await plane.database.rows("log_read", query, {"org": org_id})]


async def until(holds: Any) -> None:
    """Wait for a condition, for as long as a test may take."""
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


def _shape(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in json.loads(answer.text).items() if name not in ("request_id", "instance")}
