"""A process tells of itself on its own /metrics: what it lost, what it kept, what its checks say (OWN-*, HLT-02, TRC-07)."""

from __future__ import annotations

from typing import Any

import pytest

import obslib
from obslib.catalog import common as c
from obslib.catalog.platform import data_plane as s
from obslib.testing import FixedClock, RecordedObservability, observability


@pytest.fixture
def clock() -> FixedClock:
    """Time that stands still."""
    return FixedClock()


def started(clock: FixedClock, **settings: Any) -> RecordedObservability:
    """An agent whose output stays here."""
    return observability("agent", clock=clock, **settings)


def test_every_line_offered_is_written_or_dropped_for_a_reason(capfd: pytest.CaptureFixture[str]) -> None:
    """Offered lines are those written and those dropped, and the dropped ones have a reason (OWN-01)."""
    obs = obslib.start("scheduler", adopt_process=False, admin_port=-1, log_format="json")
    for number in range(3):
        obs.log.info("counted", number=number)
    obs.close(5.0)
    obs.log.info("too late")
    lines = capfd.readouterr().out.splitlines()
    text = obs.metrics.exposition("text/plain")[0].decode()
    shown = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(c.LOG_LINES.name))
    assert shown == {
        'log_lines_total{component="scheduler",result="written"}': f"{len(lines)}.0",
        'log_lines_total{component="scheduler",result="dropped"}': "1.0",
    }
    dropped = 'log_dropped_lines_total{component="scheduler",reason="closed"} 1.0'
    assert dropped in text.splitlines()


def test_every_span_started_is_exported_or_dropped_for_a_reason(clock: FixedClock) -> None:
    """An error, a slow trace and one in twenty are kept; the counters hold each span and each decision (OWN-04, TRC-07)."""
    obs = started(clock, trace_success_ratio=0.0, trace_slow_seconds=2.0)
    span = obs.span(s.AGENT_RECONCILE_SPAN)
    with span():
        pass
    with span():
        clock.advance(2.0)
    with pytest.raises(OSError, match="down"), span():
        raise OSError("down")
    assert [each.name for each in obs.spans()] == ["agent.reconcile"] * 2
    obs.close()
    spans = {result: obs.sample(c.TRACE_SPANS, result=result) for result in ("started", "kept", "exported", "dropped")}
    assert spans == {"started": 3, "kept": 2, "exported": 2, "dropped": 1}
    assert obs.sample(c.TRACE_DROPPED_SPANS, reason="not_sampled") == 1
    decided = {
        (decision, reason): obs.sample(c.TRACE_SAMPLING_DECISIONS, decision=decision, reason=reason)
        for decision, reason in (("kept", "error"), ("kept", "slow"), ("kept", "ratio"), ("dropped", "ratio"))
    }
    assert decided == {("kept", "error"): 1, ("kept", "slow"): 1, ("kept", "ratio"): 0, ("dropped", "ratio"): 1}


def test_a_check_shows_its_status_duration_and_age(clock: FixedClock) -> None:
    """Unknown is absent, ok is 1, failing is 0; a change has its line; the process is ready when each required check is."""
    obs = started(clock)
    verdicts = [obslib.Verdict.ok(), obslib.Verdict.failing("full", "no room")]

    @obs.check(s.DISK_OK)
    def disk() -> obslib.Verdict:
        return verdicts.pop(0)

    assert obs.sample(c.HEALTH_CHECK_STATUS, check="disk_ok") is None
    obs.health.run_now()
    assert obs.sample(c.HEALTH_CHECK_STATUS, check="disk_ok") == 1
    assert obs.sample(c.HEALTH_READY) == 0
    clock.advance(30.0)
    assert obs.sample(c.HEALTH_CHECK_AGE, check="disk_ok") == 30
    obs.health.run_now()
    assert obs.sample(c.HEALTH_CHECK_STATUS, check="disk_ok") == 0
    assert obs.sample("health_check_duration_seconds_count", check="disk_ok") == 2
    told = [(line["check"], line["status"], line["reason"]) for line in obs.events("health.check_changed")]
    assert told == [("disk_ok", "failing", "full")]


def test_a_component_tells_when_it_starts_and_when_it_stops(clock: FixedClock) -> None:
    """With its version and address, and with how long it ran (STN-01)."""
    obs = started(clock, version="1.2.3")
    clock.advance(5.0)
    obs.close()
    (began,) = obs.events("component.started")
    (ended,) = obs.events("component.stopped")
    assert (began["version"], began["address"], ended["duration_seconds"]) == ("1.2.3", "", 5.0)
    assert obs.sample(c.BUILD_INFO, version="1.2.3") == 1


def test_a_component_without_tracing_behaves_the_same(clock: FixedClock) -> None:
    """Off: the caller's trace stays in the lines and is handed on, work goes as before, no span exists (TRC-12)."""
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    outcomes, records = [], []
    for is_enabled in (True, False):
        obs = started(clock, tracing_enabled=is_enabled)
        boot = obs.operation(s.INSTANCE_BOOT)
        for fails in (False, True):
            with boot.under(f"00-{trace_id}-b7ad6b7169203331-01")() as run:
                handed_on = obs.traces.traceparent()
                if fails:
                    raise OSError("no kernel")
            outcomes.append((is_enabled, run.ok, handed_on.split("-")[1]))
        records.append(
            [
                {k: v for k, v in line.items() if k not in ("span_id", "exception")}
                for line in obs.events("instance.boot_failed")
            ]
        )
        assert obs.sample(s.AGENT_BOOT_FAILURES, reason="firecracker_start_failed") == 1
        assert bool(obs.spans()) is is_enabled
    assert outcomes == [(on, ok, trace_id) for on in (True, False) for ok in (True, False)]
    assert records[0] == records[1]
    assert records[0][0]["trace_id"] == trace_id
