"""The event log, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from miniplatform.store import events
from miniplatform.store.events import Conflict, Event, NewEvent, append, read
from miniplatform.store.pool import Database

ORG = "org_01J00000000000000000000000"


def org(number: int, **payload: Any) -> NewEvent:
    """An event of the ``number``-th org."""
    org_id = f"org_{number:026d}"
    return NewEvent(
        aggregate_type="org", aggregate_id=org_id, event_type="org.created", org_id=org_id, payload={"name": "x", **payload}
    )


async def put(database: Database, *new: NewEvent, **options: Any) -> list[int]:
    """Append in a transaction of its own."""
    async with database.transaction("event_append") as connection:
        return await append(connection, new, actor=("user", "usr_1"), request_id="req_1", **options)


async def all_events(database: Database) -> list[Event]:
    """Everything in the log."""
    async with database.transaction("event_read") as connection:
        return await read(connection, after=0, event_types=["org.created", "app.created"], limit=10_000)


async def test_an_event_comes_back_as_it_was_appended(database: Database) -> None:
    """The whole envelope survives, and the event's own traceparent wins over its transaction's."""
    app = NewEvent(
        aggregate_type="app", aggregate_id="app_1", event_type="app.created", org_id=ORG, app_id="app_1", env_id="env_1",
        payload={"name": "web"}, correlation_id="dep_1", traceparent="own",
    )  # fmt: skip
    ids = await put(database, app, org(1), traceparent="shared")
    found = await all_events(database)
    assert [event.event_id for event in found] == ids
    assert found[0] == Event(
        event_id=ids[0], occurred_at=found[0].occurred_at, aggregate_type="app", aggregate_id="app_1", aggregate_seq=1,
        event_type="app.created", actor_type="user", actor_id="usr_1", org_id=ORG, app_id="app_1", env_id="env_1",
        request_id="req_1", correlation_id="dep_1", traceparent="own", payload={"name": "web"},
    )  # fmt: skip
    assert found[1].traceparent == "shared"


async def test_the_application_cannot_rewrite_history(database: Database) -> None:
    """Whatever the platform's code does, an appended event stays as it is."""
    await put(database, org(1))
    before = await all_events(database)
    for change in ("UPDATE events SET payload = '{}'", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await database.rows("event_append", change)
    assert await all_events(database) == before


async def test_sequences_have_no_gaps(database: Database) -> None:
    """Each aggregate counts from 1, whoever appends and however many at once."""
    await put(database, org(1), org(2), org(1))
    await asyncio.gather(*(put(database, org(1)) for _ in range(5)))
    found = await all_events(database)
    assert [e.aggregate_seq for e in found if e.aggregate_id.endswith("1")] == [1, 2, 3, 4, 5, 6, 7]
    assert [e.aggregate_seq for e in found if e.aggregate_id.endswith("2")] == [1]


async def test_a_stale_writer_is_refused(database: Database) -> None:
    """Who has not seen the newest event of an aggregate cannot append to it, and nothing of the command stays."""
    await put(database, org(1), expected_seq={org(1).aggregate_id: 0})
    with pytest.raises(Conflict, match="is at 1, not at 0; read it again"):
        await put(database, org(2), org(1), expected_seq={org(1).aggregate_id: 0})
    assert len(await all_events(database)) == 1


async def follow_while_appending(database: Database, *, writers: int = 6, rounds: int = 12) -> tuple[list[int], list[int]]:
    """Append from several writers, slow to commit, while a reader follows its cursor; returns what it saw and what is there."""
    seen: list[int] = []
    done = asyncio.Event()

    async def write(writer: int) -> None:
        for n in range(rounds):
            async with database.transaction("event_append") as connection:
                await append(connection, [org(writer)], actor=("user", "u"), request_id="r")
                await connection.execute("SELECT pg_sleep(%s)", [0.004 * ((writer + n) % 3)])

    async def follow() -> None:
        while True:
            is_last = done.is_set()
            async with database.transaction("event_read") as connection:
                page = await read(connection, after=seen[-1] if seen else 0, event_types=["org.created"], limit=1000)
            seen.extend(event.event_id for event in page)
            if is_last:
                return

    reader = asyncio.create_task(follow())
    await asyncio.gather(*(write(writer) for writer in range(writers)))
    done.set()
    await reader
    return seen, [event.event_id for event in await all_events(database)]


async def test_a_reader_that_follows_its_cursor_misses_nothing(database: Database) -> None:
    """Ids become visible in order, so a cursor that stands at n has seen every event up to n."""
    seen, there = await follow_while_appending(database)
    assert len(there) == 72
    assert seen == there


async def test_a_mutant_without_the_lock_loses_events(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the append lock a slow transaction's smaller id appears behind the cursor, and the check above sees it."""
    monkeypatch.setattr(events, "_TAKE_TURN", "SELECT %s")
    seen, there = await follow_while_appending(database)
    assert len(there) == 72
    assert seen != there
