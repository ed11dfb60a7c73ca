"""The five critical loops: each reports health, latency and errors under one set of names (STN-03 to STN-06)."""

from __future__ import annotations

import pytest

from obslib.catalog import Loop
from obslib.catalog import common as c
from obslib.catalog.platform import PLATFORM, control_plane, data_plane, edge
from obslib.testing import FixedClock, observability

CRITICAL = {
    "event_append": ("control-plane", control_plane.EVENT_APPEND, "event.append"),
    "projections": ("projector", control_plane.PROJECTIONS, "projections.cycle"),
    "scheduler": ("scheduler", control_plane.SCHEDULER_LOOP, "scheduler.loop"),
    "agent_reconcile": ("agent", data_plane.AGENT_RECONCILE, "agent.reconcile"),
    "edge_routing": ("edge", edge.EDGE_ROUTING, "edge.config_apply"),
}


def test_the_critical_loops_are_those_five() -> None:
    """No more and no fewer are called critical."""
    assert {loop.name for loop in PLATFORM.of(Loop) if loop.is_critical} == set(CRITICAL)


@pytest.mark.parametrize("name", CRITICAL)
def test_a_critical_loop_reports_health_latency_and_errors(name: str) -> None:
    """After a good and a bad iteration five families and two spans speak of it, and its line can be debugged from."""
    component, declaration, span = CRITICAL[name]
    clock = FixedClock()
    obs = observability(component, clock=clock)
    loop = obs.loop(declaration)
    with loop.iteration():
        clock.advance(0.25)
    assert obs.sample(c.LOOP_HEALTHY, loop=name) == 1
    assert obs.sample(c.LOOP_LAST_SUCCESS, loop=name) == clock.now()
    with pytest.raises(TimeoutError), loop.iteration():
        raise TimeoutError("no answer")
    assert obs.sample(c.LOOP_HEALTHY, loop=name) == 0
    assert obs.sample("loop_iteration_duration_seconds_sum", loop=name) == 0.25
    assert obs.sample(c.LOOP_ITERATIONS, loop=name, result="success") == 1
    assert obs.sample(c.LOOP_ITERATIONS, loop=name, result="failure") == 1
    assert [(each.name, each.status.is_ok) for each in obs.spans()] == [(span, True), (span, False)]
    assert obs.sample(c.LOOP_ERRORS, loop=name, error_class="timeout") == 1
    (line,) = [line for line in obs.lines() if line.get("loop") == name]
    assert line.keys() >= {
        "loop", "cycle_id", "error_class", "error_message", "retryable", "attempt", "backoff_seconds", "cursor_event_id",
        "trace_id", "request_id",
    }  # fmt: skip
    assert (line["level"], line["error_message"], line["retryable"]) == ("error", "no answer", True)
    assert f"loop:{name}" in obs.health.run_now().as_dict()["checks"]  # type: ignore[operator]
