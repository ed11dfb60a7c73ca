"""The control plane's shim of workload logs: what is lost, refused and left out shows on /metrics and in the lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from obslib.catalog.platform import log_store as s
from obslib.errors import LimitExceeded
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib.workload import Damage, Limits, LogStore, Marker, Selection, SqliteLogStore
from obslib_control_plane.workload_logs import WorkloadLogs
from tests.workload.scene import Readers, org, stamped

ORG = "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def clock() -> FixedClock:
    """Time that stands an hour after the first lines."""
    clock = FixedClock()
    clock.advance(3_600)
    return clock


@pytest.fixture
def obs(clock: FixedClock) -> RecordedObservability:
    """A control plane's telemetry, recorded."""
    return observability("control-plane", clock=clock)


@pytest.fixture
async def store(tmp_path: Path, clock: FixedClock) -> AsyncIterator[LogStore]:
    """An empty store."""
    store = SqliteLogStore(tmp_path / "logs", clock=clock)
    yield store
    await store.close()


def test_damage_is_counted_and_told_with_its_org(obs: RecordedObservability) -> None:
    """Lines that the store has lost, and one line at error level for whoever keeps the platform running (WLG-07)."""
    WorkloadLogs(obs, Limits()).damaged(Damage(org_id=ORG, kind="file", lines=12, detail="the file ends early"))
    assert obs.sample(s.LOG_STORE_LOST, kind="file") == 12
    (line,) = obs.events("workload_log.store_damaged")
    found = (line["level"], line["org_id"], line["reason"], line["count"], line["detail"])
    assert found == ("error", ORG, "file", 12, "the file ends early")


def test_a_stream_too_many_is_counted_by_whose_limit_it_was(obs: RecordedObservability) -> None:
    """The token's own fill comes first, then the org's; a stream that has ended makes room (WLG-14)."""
    logs = WorkloadLogs(obs, Limits(max_log_streams_per_org=2, max_log_streams_per_token=1))
    with logs.streams.open(ORG, "one"), logs.streams.open(ORG, "two"):
        assert obs.sample(s.LOG_STREAMS_ACTIVE) == 2
        for token, reason in (("one", "token_limit"), ("three", "org_limit")):
            with pytest.raises(LimitExceeded, match=r"limits\.max_log_streams"), logs.streams.open(ORG, token):
                pass
            assert obs.sample(s.LOG_STREAM_REJECTIONS, reason=reason) == 1
    with logs.streams.open(ORG, "three"):
        assert obs.sample(s.LOG_STREAMS_ACTIVE) == 1


async def test_a_tail_gets_its_rate_and_is_told_what_it_missed(
    obs: RecordedObservability, store: LogStore, clock: FixedClock
) -> None:
    """Of a thousand lines at once as many pass as the rate allows; the rest is told in markers, and counted (WLG-12)."""
    logs = WorkloadLogs(obs, Limits(max_tail_rate_lines_per_second=100))
    tail = logs.tail(store, await Readers().of(1), Selection(env_id="env_1_prod"), after=None)
    await tail.open()
    await store.append(org(1), [stamped(number, "x") for number in range(1, 1_001)])
    passed, left_out = 0, list[tuple[str, str, int]]()
    async for chunk in tail.chunks():
        markers = [record for record in chunk if isinstance(record, Marker)]
        left_out += [(marker.kind, marker.reason, marker.count) for marker in markers]
        passed += len(chunk) - len(markers)
        if len(left_out) == 2:
            break
        clock.advance(1.0)
    assert passed == 200
    assert left_out == [("lines_skipped", "tail_rate", 400)] * 2
    assert obs.sample(s.LOG_TAIL_THROTTLED) == 800
