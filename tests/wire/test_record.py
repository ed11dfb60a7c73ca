"""Records: tolerant of what is new, strict about what is wrong."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from obslib.wire import EdgeReport, NodeRecord, NodeReport, ProjectionRecord, age_seconds, rfc3339, unix


def test_a_newer_peer_may_say_more() -> None:
    """Unknown fields are ignored at every depth."""
    report = NodeReport.model_validate(
        {"cursor_event_id": 7, "mood": "fine", "instances": {"inst_1": {"state": "ready", "colour": 1, "health": {"x": 1}}}}
    )
    assert report == NodeReport.model_validate({"cursor_event_id": 7, "instances": {"inst_1": {"state": "ready"}}})


def test_a_long_error_is_cut_not_refused() -> None:
    """A heartbeat with an enormous error text is still a heartbeat."""
    assert NodeReport(loop_error="x" * 5_000).loop_error == "x" * 1_023 + "…"


def test_a_record_cannot_be_changed() -> None:
    """Records are frozen."""
    with pytest.raises(ValueError, match="frozen"):
        NodeReport().plan_id = "plan"  # type: ignore[misc]  # the point of the test


def test_moments_are_written_one_way() -> None:
    """A datetime, Unix seconds and any RFC 3339 text become the same text in UTC."""
    at = datetime(2026, 1, 31, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    seen = [
        NodeRecord.model_validate({"node_id": "n", "name": "n", "kind": "agent", "seen_at": value}).seen_at
        for value in (at, at.timestamp(), "2026-01-31T09:30:00Z", at.isoformat(), datetime(2026, 1, 31, 9, 30))
    ]
    assert seen == ["2026-01-31T09:30:00.000000Z"] * 5
    assert unix(rfc3339(at)) == at.timestamp()


@pytest.mark.parametrize("value", ["yesterday", float("inf"), float("nan"), 1e30, True])
def test_what_is_no_moment_is_refused(value: object) -> None:
    """A time that cannot be read is a ValueError, never another exception."""
    with pytest.raises(ValueError):
        EdgeReport.model_validate({"applied_at": value})


def test_ages_are_never_negative_and_unknown_stays_unknown() -> None:
    """A peer's clock ahead of ours gives age 0; no time gives no age."""
    now = datetime(2026, 1, 31, tzinfo=UTC).timestamp()
    assert age_seconds("2026-01-31T00:00:05Z", now) == 0.0
    assert age_seconds("2026-01-30T23:59:58.5Z", now) == 1.5
    assert age_seconds(None, now) is None


def test_lag_is_measured_against_what_a_projection_consumes() -> None:
    """A projection at its newest relevant event has no lag, however far the log has moved on."""
    assert ProjectionRecord(projection="routes", last_applied_event_id=9, newest_event_id=7).lag_events == 0
    assert ProjectionRecord(projection="routes", last_applied_event_id=3, newest_event_id=7).lag_events == 4
