"""A slot that fails waits longer each time, and is given up when it fails too often."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from miniplatform.agent.instance import Instance
from miniplatform.agent.state import Boot, InstanceRow, State
from miniplatform.agent.workload import ProcessId
from miniplatform.config import Timings
from obslib.wire import TerminationReport
from tests.miniplatform.fake_control_plane import planned

CRASH = TerminationReport.model_validate({"termination_class": "crash", "reason_code": "crash_loop_backoff"})
NOW = 1_766_000_000.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """An empty memory."""
    made = State(tmp_path / "agent.sqlite")
    yield made
    made.close()


def instance(state: State, timings: Timings) -> Instance:
    """A slot that has not run yet."""
    return Instance(
        InstanceRow(want=planned(1), status="preparing"), None, state=state, timings=timings, on_report=lambda: None
    )


def test_the_pause_doubles_up_to_its_cap_with_at_most_a_quarter_more(state: State) -> None:
    """100 ms, 200 ms, 400 ms … 30 s, each spread by up to 25 percent."""
    slot = instance(state, Timings(restarts=20))
    for failures in range(12):
        slot.fail(CRASH, NOW)
        plain = min(30.0, 0.1 * 2**failures)
        assert plain <= slot.backoff_s(NOW) <= plain * 1.25
        assert not slot.is_due(NOW)
        assert slot.is_due(NOW + plain * 1.25)


def test_restarts_count_within_their_window_only(state: State) -> None:
    """Five restarts in five minutes are the limit; one a minute later is none of them."""
    often, seldom = instance(state, Timings()), instance(state, Timings())
    for at in itertools.islice(itertools.count(NOW), 6):
        assert not often.row.is_final
        often.fail(CRASH, at)
    for at in itertools.islice(itertools.count(NOW, 61.0), 20):
        seldom.fail(CRASH, at)
    assert often.row.is_final
    assert not often.is_due(NOW + 3600)
    assert not seldom.row.is_final


def test_a_clock_that_is_set_back_does_not_keep_an_instance_waiting(state: State) -> None:
    """A next boot that lies further ahead than any backoff is due now."""
    slot = instance(state, Timings())
    slot.fail(CRASH, NOW)
    assert slot.is_due(NOW - 3600)


def test_a_change_and_its_report_are_written_together(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the report cannot be written the change is not either, on disk and in memory, and is noticed again."""
    slot = instance(state, Timings())
    boot = Boot(boot_id="boot_1", instance_id=slot.want.instance_id, port=1, begun_at=NOW)
    slot.begin(boot)
    slot.record(ProcessId(pid=1, started="now"))
    with monkeypatch.context() as broken:
        broken.setattr(State, "queue", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            slot.fail(CRASH, NOW)

    assert [row.status for row in state.instances()] == [slot.row.status] == ["booting"]
    assert slot.has_open_boot
    slot.fail(CRASH, NOW)
    assert [item.report.status for item in state.queued()] == ["booting", "failed"]
    assert [boot.has_ended for boot in state.boots(slot.want.instance_id)] == [True]
