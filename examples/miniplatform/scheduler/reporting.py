"""What the scheduler leaves in the database with each pass, for whoever asks why a group does not converge."""

from __future__ import annotations

from psycopg.types.json import Jsonb

from miniplatform.scheduler.backoff import Backoff
from miniplatform.scheduler.world import World
from miniplatform.store.pool import Database
from obslib.wire import ComponentReport, GroupReport

__all__ = ["write_report"]


async def write_report(database: Database, world: World, backoff: Backoff, *, loop_error: str, now: float) -> None:
    """Replace the scheduler's report; ``now`` is of the clock the backoff goes by."""
    report = ComponentReport(
        cursor_event_id=world.cursor_event_id,
        head_event_id=world.head_event_id,
        loop_error=loop_error,
        groups=[
            GroupReport(
                env_id=key.env_id, process_type=key.process_type, reason=waiting.reason, detail=waiting.detail,
                attempt=waiting.attempt, retry_in_seconds=round(max(0.0, waiting.until - now), 3),
            )
            for key, waiting in backoff.items()
        ],
    )  # fmt: skip
    async with database.transaction("checkpoint_write") as connection:
        await connection.execute(
            "INSERT INTO component_reports (component, seen_at, cursor_event_id, report)"
            " VALUES ('scheduler', now(), %(cursor)s, %(report)s) ON CONFLICT (component) DO UPDATE"
            " SET seen_at = EXCLUDED.seen_at, cursor_event_id = EXCLUDED.cursor_event_id, report = EXCLUDED.report",
            {"cursor": world.cursor_event_id, "report": Jsonb(report.model_dump(mode="json"))},
        )
