"""No report is lost and none overtakes an earlier one of its instance, whatever the control plane answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from miniplatform.agent.client import CallFailed, Client
from miniplatform.agent.reports import Reporter
from miniplatform.agent.state import State
from obslib import ErrorClass
from obslib.testing import RecordedObservability, observability
from obslib.wire import InstanceReport
from obslib_agent import instrument

AWAY, BROKEN = ErrorClass.UNAVAILABLE, ErrorClass.INTERNAL


class NoKvm:
    """A launcher without a virtual machine."""

    kvm_device = None


@dataclass
class ScriptedClient:
    """Answers one call after the other as told, then accepts everything."""

    answers: list[ErrorClass | None]
    accepted: list[tuple[str, str]] = field(default_factory=list)

    async def report(self, report: InstanceReport, *, traceparent: str) -> None:
        """Accept, or fail as the script says."""
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise CallFailed("no", answer)
        self.accepted.append((report.instance_id, report.boot_id))


@pytest.fixture(scope="module")
def obs() -> Iterator[RecordedObservability]:
    """An agent's observability, recorded."""
    with observability("agent") as recorded:
        yield recorded


async def delivered(obs: RecordedObservability, path: Path, answers: list[ErrorClass | None], instances: list[str]) -> Any:
    """What arrives when a report is queued for each of ``instances``, with the script ``answers``."""
    path.unlink(missing_ok=True)
    state, client = State(path), ScriptedClient(answers)
    for number, instance in enumerate(instances):
        state.queue(InstanceReport(instance_id=instance, boot_id=f"{number:03}", status="booting"), "")
    reporter = Reporter(obs, instrument(obs, launcher=NoKvm(), overlay=None), cast("Client", client), state, asyncio.Event())
    while not await reporter._flush():
        pass
    assert state.queued() == []
    state.close()
    return client.accepted


def in_order(instances: list[str], accepted: list[tuple[str, str]]) -> bool:
    """Whether everything arrived, each instance's in the order in which it was queued."""
    wanted = [(instance, f"{number:03}") for number, instance in enumerate(instances)]
    return sorted(accepted) == sorted(wanted) and all(
        [item for item in accepted if item[0] == name] == [item for item in wanted if item[0] == name] for name in instances
    )


scripts = st.lists(st.sampled_from([None, AWAY, BROKEN, ErrorClass.CONFLICT]), max_size=30)
queues = st.lists(st.sampled_from("abc"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(scripts, queues)
def test_everything_arrives_in_the_order_of_its_instance(
    obs: RecordedObservability, tmp_path: Path, answers: list[ErrorClass | None], instances: list[str]
) -> None:
    """Outages and failures of single calls delay reports, and change nothing else."""
    accepted = asyncio.run(delivered(obs, tmp_path / "agent.sqlite", list(answers), instances))
    assert in_order(instances, accepted)


async def test_mutant_a_reporter_that_takes_a_failure_for_good_loses_reports(
    obs: RecordedObservability, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were every failed call final, the check above would see the gap."""
    monkeypatch.setattr(CallFailed, "is_for_good", True)
    accepted = await delivered(obs, tmp_path / "agent.sqlite", [BROKEN], ["a", "a"])
    assert not in_order(["a", "a"], accepted)


async def test_a_refusal_for_good_is_told(obs: RecordedObservability, tmp_path: Path) -> None:
    """What the control plane will never take is given up with a line that says which report it was."""
    accepted = await delivered(obs, tmp_path / "agent.sqlite", [ErrorClass.NOT_FOUND], ["a", "b"])
    assert accepted == [("b", "001")]
    line = [line for line in obs.lines() if line["msg"] == "status report refused for good"][-1]
    assert (line["level"], line["status"], line["error_class"]) == ("error", "booting", "not_found")
