"""What instances use: read from control groups, kept for a minute, exported by group, gone with the instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from obslib.catalog.platform import resources as r
from obslib.catalog.platform import terms as t
from obslib.metrics import CounterFamily, GaugeFamily
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib.wire import rfc3339
from obslib_agent import Agent, Cgroup, Figures, InstanceSample, LastMinute, instrument

RECORDED = Path(__file__).parent / "recorded"
ULID = "01ARZ3NDEKTSV4RRFFQ69G5F"
ENV = f"env_{ULID}0A"
WEB = {"env_id": ENV, "process_type": "web"}
MIB = 2**20
FIGURES = ("memory_usage_bytes", "memory_peak_bytes", "memory_limit_bytes", "memory_cap_exceeded", "cpu_throttled_seconds",
           "cpu_pressure_ratio", "sampled_at")  # fmt: skip


class PlainLauncher:
    """A launcher that starts processes."""

    kvm_device: str | None = None


@pytest.fixture
def clock() -> FixedClock:
    """Time that stands still."""
    return FixedClock()


@pytest.fixture
def obs(clock: FixedClock) -> Iterator[RecordedObservability]:
    """An agent's observability, recorded."""
    with observability("agent", clock=clock) as recorded:
        yield recorded


@pytest.fixture
def agent(obs: RecordedObservability) -> Agent:
    """The shim of an agent."""
    return instrument(obs, launcher=PlainLauncher(), overlay=None)


def sample(number: int, used: int | None = None, *, cap: int = 100, process_type: str = "web", **more: Any) -> InstanceSample:
    """A sample of instance ``number``, running when it uses anything."""
    figures = None if used is None else Figures(memory_usage_bytes=used, memory_limit_bytes=cap, **more)
    return InstanceSample(
        env_id=ENV, process_type=process_type, instance_id=f"inst_{ULID}{number:02}", boot_id=f"boot_{number}", figures=figures
    )


# --- the files of the kernel ----------------------------------------------------------------------


def v1(name: str) -> Cgroup:
    """A recorded group of version 1, whose hierarchies are apart."""
    return Cgroup(memory=RECORDED / name / "memory", cpu=RECORDED / name / "cpu", pressure=RECORDED / name / "pressure")


def test_version_1_is_read_while_it_runs_and_after_a_kill() -> None:
    """Recorded from a group with a cap of 64 MiB and a fifth of a processor, before and after the kernel killed it."""
    assert v1("cgroup_v1_running").read() == Figures(
        memory_usage_bytes=42205184, memory_limit_bytes=64 * MIB, memory_peak_bytes=42205184, oom_kills=0, cpu_periods=12,
        cpu_throttled_periods=11, cpu_throttled_seconds=0.772586467, cpu_pressure_seconds=0.846468,
    )  # fmt: skip
    killed = v1("cgroup_v1_killed").read()
    assert (killed.oom_kills, killed.memory_peak_bytes, killed.memory_usage_bytes) == (1, 64 * MIB, 139264)


def test_version_2_is_read_from_one_directory() -> None:
    """Recorded on a Linux 6.1 from a group of the same cap and share; there the whole group is killed, process by process."""
    assert Cgroup.at(RECORDED / "cgroup_v2_running").read() == Figures(
        memory_usage_bytes=34603008, memory_limit_bytes=64 * MIB, memory_peak_bytes=34603008, oom_kills=0, cpu_periods=21,
        cpu_throttled_periods=21, cpu_throttled_seconds=1.577221, cpu_pressure_seconds=1.723496,
    )  # fmt: skip
    killed = Cgroup.at(RECORDED / "cgroup_v2_killed").read()
    assert (killed.oom_kills, killed.memory_peak_bytes, killed.memory_usage_bytes) == (2, 64 * MIB, 24576)


@pytest.mark.parametrize("limit", ["max\n", "9223372036854771712\n"], ids=["version 2", "version 1"])
def test_no_limit_is_none_and_not_a_number(tmp_path: Path, limit: str) -> None:
    """Neither spelling of "no limit" becomes a cap."""
    (tmp_path / ("memory.max" if limit.startswith("max") else "memory.limit_in_bytes")).write_text(limit)
    assert Cgroup.at(tmp_path).read().memory_limit_bytes is None


def test_what_is_not_there_or_makes_no_sense_is_unknown(tmp_path: Path) -> None:
    """A missing directory, a missing file and nonsense in one are all ``None``, never zero."""
    (tmp_path / "memory.current").write_text("plenty\n")
    (tmp_path / "cpu.stat").write_text("nr_periods\nnr_throttled many\nthrottled_usec -1\n")
    (tmp_path / "cpu.pressure").write_text("some avg10=0.00 total=x\n")
    for group in (Cgroup(), Cgroup.at(tmp_path / "gone"), Cgroup.at(tmp_path)):
        assert group.read() == Figures()


# --- by group -------------------------------------------------------------------------------------


def test_a_group_shows_its_sum_and_its_fullest_instance(obs: RecordedObservability, agent: Agent) -> None:
    """Use and caps are summed per group; the ratio is that of the instance nearest to its cap (MET-AG-10)."""
    agent.resources.sampled([sample(1, 30), sample(2, 90), sample(3, 10, process_type="worker"), sample(4)])

    assert obs.sample(r.AGENT_INSTANCE_MEMORY_USAGE, **WEB) == 120.0
    assert obs.sample(r.AGENT_INSTANCE_MEMORY_LIMIT, **WEB) == 200.0
    assert obs.sample(r.AGENT_INSTANCE_MEMORY_MAX_RATIO, **WEB) == 0.9
    assert obs.sample(r.AGENT_INSTANCE_MEMORY_USAGE, env_id=ENV, process_type="worker") == 10.0


def test_the_top_ten_carry_ranks_and_no_ids(obs: RecordedObservability, agent: Agent) -> None:
    """Of twelve instances ten are in the list, the nearest to its cap first; with two left, two ranks are (MET-AG-09)."""
    agent.resources.sampled([sample(number, number) for number in range(1, 13)])
    found = [obs.sample(r.AGENT_INSTANCE_MEMORY_TOP_RATIO, rank=str(rank)) for rank in range(1, 11)]
    assert found == [number / 100 for number in range(12, 2, -1)]

    agent.resources.sampled([sample(1, 50), sample(2, 70)])
    found = [obs.sample(r.AGENT_INSTANCE_MEMORY_TOP_RATIO, rank=str(rank)) for rank in range(1, 4)]
    assert found == [0.7, 0.5, None]


def test_totals_grow_by_what_each_boot_used_and_never_fall(obs: RecordedObservability, agent: Agent) -> None:
    """What ran before this agent did is not counted again, a boot that ends takes nothing back, and a new one adds.

    A total that is known is there from the start, at 0; one that nobody knows is absent.
    """
    agent.resources.sampled([sample(1, 10, cpu_pressure_seconds=500.0, cpu_periods=50)])
    assert obs.sample(r.AGENT_INSTANCE_CPU_PRESSURE, **WEB) == 0.0
    agent.resources.sampled(
        [
            sample(1, 10, cpu_pressure_seconds=501.5, cpu_periods=60, cpu_throttled_periods=1),
            sample(2, 10, cpu_pressure_seconds=2.0),
        ]
    )
    assert obs.sample(r.AGENT_INSTANCE_CPU_PRESSURE, **WEB) == 3.5
    agent.resources.ended("boot_1", Figures(cpu_pressure_seconds=502.0))
    agent.resources.sampled([sample(2, 10, cpu_pressure_seconds=2.5)])
    assert obs.sample(r.AGENT_INSTANCE_CPU_PRESSURE, **WEB) == 4.5
    assert obs.sample(r.AGENT_INSTANCE_CPU_PERIODS, **WEB) == 10.0
    assert obs.sample(r.AGENT_INSTANCE_CPU_THROTTLED_PERIODS, **WEB) == 1.0
    assert obs.sample(r.AGENT_INSTANCE_CPU_THROTTLED, **WEB) is None


def exposed(obs: RecordedObservability) -> list[str]:
    """The series about instances that an exposition holds now."""
    lines = obs.metrics.exposition("text/plain")[0].decode().splitlines()
    return [line for line in lines if line.startswith("agent_instance_") and ULID in line]


def leave(agent: Agent) -> None:
    """Two instances run, one with an id of its own series, and are gone at the next look."""
    agent.resources.sampled([])
    agent.resources.sampled([sample(1, 10, cpu_periods=5), sample(2, 10, cpu_periods=5)])
    agent.resources.sampled([])


def test_series_leave_with_the_instance(obs: RecordedObservability, agent: Agent) -> None:
    """A group that is not on the node any more has no series left, neither gauge nor counter, and its places are free."""
    agent.resources.sampled([sample(1, 10, cpu_periods=5)])
    assert exposed(obs)
    leave(agent)
    assert exposed(obs) == []
    for turn in range(3):
        agent.resources.sampled([
            InstanceSample(
                env_id=f"env_{ULID}{turn}{number % 10}", process_type=f"p{number}", instance_id=f"inst_{ULID}00",
                boot_id=f"boot_{turn}_{number}", figures=Figures(memory_usage_bytes=1, cpu_periods=1),
            )
            for number in range(256)
        ])  # fmt: skip
        assert obs.sample(r.AGENT_INSTANCE_MEMORY_USAGE, env_id="_other", process_type="_other") is None


def test_groups_past_the_bound_of_a_node_are_one(obs: RecordedObservability, agent: Agent) -> None:
    """The joint domain of env and process type holds 256 groups; the next are ``_other`` together (MET-AG-09, CARD-04, -05)."""
    agent.resources.sampled([
        InstanceSample(
            env_id=f"env_{ULID}{number % 100:02}", process_type=f"p{number}", instance_id=f"inst_{ULID}00",
            boot_id=f"boot_{number}", figures=Figures(memory_usage_bytes=1),
        )
        for number in range(260)
    ])  # fmt: skip
    lines = obs.metrics.exposition("text/plain")[0].decode().splitlines()
    series = [line for line in lines if line.startswith("agent_instance_memory_usage_bytes{")]
    assert len(series) == t.PLACED.bound == 257
    assert t.PLACED.labels == (t.ENV_ID.name, t.PROCESS_TYPE.name)
    assert obs.sample(r.AGENT_INSTANCE_MEMORY_USAGE, env_id="_other", process_type="_other") == 4.0


def add_only(family: GaugeFamily[...], values: dict[Any, float]) -> None:
    """A gauge that takes over values and drops nothing."""
    for key, value in values.items():
        family.at(key if isinstance(key, tuple) else (key,)).set(value)


@pytest.mark.parametrize(
    ("family", "method", "broken"),
    [(GaugeFamily, "replace", add_only), (CounterFamily, "remove", lambda *_, **__: False)],
    ids=["gauges stay", "counters stay"],
)
def test_mutant_series_that_stay_are_found(
    obs: RecordedObservability, agent: Agent, monkeypatch: pytest.MonkeyPatch, family: type, method: str, broken: object
) -> None:
    """With gauges that only ever add, or counters nobody removes, the check above fails: series are left over."""
    monkeypatch.setattr(family, method, broken)
    leave(agent)
    assert exposed(obs)


def test_one_instance_has_a_series_of_its_own_within_the_cap_of_its_family(obs: RecordedObservability, agent: Agent) -> None:
    """The per-instance figure is an InstanceMetric: its aggregate is declared, at most 256 series, gone with the instance."""
    declared = r.AGENT_INSTANCE_MEMORY_RATIO
    assert (declared.quota, declared.max_series, declared.aggregate) == (
        "max_instances",
        256,
        r.AGENT_INSTANCE_MEMORY_MAX_RATIO,
    )
    agent.resources.sampled([sample(1, 25)])
    assert obs.sample(declared, instance_id=f"inst_{ULID}01") == 0.25
    agent.resources.sampled([sample(1)])
    assert obs.sample(declared, instance_id=f"inst_{ULID}01") is None


# --- the last minute (DBG-3-03) -------------------------------------------------------------------


def test_the_last_minute_is_the_last_sample_the_peak_and_what_changed_in_the_window(clock: FixedClock, agent: Agent) -> None:
    """Of two minutes of samples the second counts: throttled 30 s of it, and a quarter of it under pressure."""
    for second in range(121):
        totals = {"cpu_throttled_seconds": second / 2, "cpu_pressure_seconds": max(0, second - 60) / 4}
        agent.resources.sampled([sample(1, 10 + second % 7, **totals)])
        clock.advance(1)
    last_sample = clock.now() - 1

    found = agent.resources.ended("boot_1", Figures(memory_peak_bytes=99, oom_kills=1, memory_limit_bytes=100))

    assert found == LastMinute(
        memory_usage_bytes=10 + 120 % 7, memory_peak_bytes=99, memory_limit_bytes=100, memory_cap_exceeded=True,
        cpu_throttled_seconds=30.0, cpu_pressure_ratio=0.25, sampled_at=rfc3339(last_sample),
    )  # fmt: skip


def test_a_boot_that_was_never_sampled_has_no_figures_but_what_the_kernel_kept(agent: Agent) -> None:
    """Too short for a sample: usage and pressure are unknown, not zero; the peak is what the group remembers."""
    assert agent.resources.ended("boot_9", Figures()) == LastMinute()
    assert agent.resources.ended("boot_9", Figures(memory_peak_bytes=7, oom_kills=0)) == LastMinute(
        memory_peak_bytes=7, memory_cap_exceeded=False
    )


def test_the_window_is_bounded_however_often_somebody_looks(clock: FixedClock, agent: Agent) -> None:
    """A thousand samples in a second keep 240, and a boot whose end nobody asks about is forgotten after a minute."""
    for _ in range(1_000):
        agent.resources.sampled([sample(1, 10)])
    [window] = agent.resources._windows.values()
    assert len(window.samples) == 240
    clock.advance(61)
    agent.resources.sampled([])
    assert agent.resources._windows == {}


def test_an_end_by_the_cap_is_counted_logged_and_reported_alike(obs: RecordedObservability, agent: Agent) -> None:
    """The line, the report and the counter tell of the same end; one by another cause does not count."""
    figures = LastMinute(memory_usage_bytes=90, memory_peak_bytes=100, memory_limit_bytes=100, memory_cap_exceeded=True)
    detail = "memory_limit_exceeded: cgroup_v1"
    report = agent.instances.terminated(
        process_type="web", reason="oom_killed", detail=detail, exit_code=-9, was_ready=True, last_minute=figures
    )
    agent.instances.terminated(process_type="web", reason="crash_loop_backoff", exit_code=1, was_ready=True)

    first, second = obs.events("instance.terminated")
    assert {name: first[name] for name in FIGURES} == report.model_dump(include=set(FIGURES)) == {
        **dict.fromkeys(FIGURES), "memory_usage_bytes": 90, "memory_peak_bytes": 100, "memory_limit_bytes": 100,
        "memory_cap_exceeded": True,
    }  # fmt: skip
    assert (first["termination_class"], first["reason_detail"]) == ("oom", detail)
    assert {second[name] for name in FIGURES} == {None}
    assert obs.sample(r.AGENT_INSTANCE_OOM_KILLS, process_type="web") == 1.0
