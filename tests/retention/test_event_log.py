"""The event log is not shortened by accident, by default, by a wildcard, or unseen."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path

import pytest

from obslib.access import Actor, ActorType, Auditor, AuditSink, Scope
from obslib.catalog.platform import PLATFORM
from obslib.catalog.platform.retention import EVENT_LOG_DISCARD_REFUSALS
from obslib.errors import AuditUnavailable, ErrorClass, EventLogKept
from obslib.retention import EventLogGuard, Policy
from obslib.testing import MemoryAudit, RecordedObservability, observability
from tests.access.broken_audit import BROKEN, patience_s
from tests.retention.test_policy import DECISION, written

NOW = 1_766_000_000.0
OPERATOR = Actor.of(actor_type="service_principal", actor_id="operator", org_id=None, scopes=map(str, Scope))


class Tool:
    """A host's tool, which remembers what it was told to remove."""

    def __init__(self) -> None:
        self.horizons: list[float] = []

    async def __call__(self, before_unix_s: float) -> int:
        """Remove events, or so it says."""
        self.horizons.append(before_unix_s)
        return 17


@pytest.fixture
def obs() -> RecordedObservability:
    """A control plane's telemetry, recorded."""
    return observability("control-plane")


def guard(
    obs: RecordedObservability, file: Path, audit_events: str, tool: Tool | None, trail: AuditSink | None = None
) -> EventLogGuard:
    """The guard under a policy that says this of the event log."""
    policy = Policy.load(written(file, audit_events=audit_events), catalog=PLATFORM)
    sink = trail or MemoryAudit()
    return EventLogGuard(obs, policy, Auditor(sink, obs, deadline_s=patience_s(sink)), discard=tool)


async def discards(obs: RecordedObservability, file: Path) -> list[tuple[str, str, str]]:
    """Every combination of policy, policy id and ADR by which something is discarded."""
    found = []
    policies = ('"permanent"', DECISION.replace("accepted", "proposed"), DECISION.replace("accepted", ""), DECISION)
    for said, policy_id, adr in itertools.product(policies, ("", "*", "RP-8", "RP-7"), ("", "*", "ADR-1", "ADR-31")):
        tool = Tool()
        try:
            await guard(obs, file, said, tool).discard_event_log(OPERATOR, policy_id=policy_id, adr=adr, now=NOW)
        except EventLogKept:
            assert tool.horizons == []
            continue
        found.append((said, policy_id, adr))
    return found


async def test_only_a_decision_that_everybody_names_discards_anything(obs: RecordedObservability, tmp_path: Path) -> None:
    """Of all ways to ask, the one with an accepted decision in the policy and the same references in the request passes."""
    assert await discards(obs, tmp_path / "p.toml") == [(DECISION, "RP-7", "ADR-31")]
    assert obs.sample(EVENT_LOG_DISCARD_REFUSALS) == 4 * 4 * 4 - 1


async def test_mutant_that_takes_any_reference_is_caught(
    obs: RecordedObservability, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that only looks whether references are given is found by trying all of them."""
    monkeypatch.setattr(
        EventLogGuard, "_verdict", lambda self, policy_id, adr: ("", "") if policy_id and adr else ("no_policy_id", "")
    )
    assert len(await discards(obs, tmp_path / "p.toml")) > 1


def everybody() -> list[Actor]:
    """Every kind of actor, of a tenant and of none, with every scope, the needed one alone, all but it, and none."""
    scopes = (list(Scope), [Scope.NODES_ADMIN], [scope for scope in Scope if scope is not Scope.NODES_ADMIN], [])
    return [
        Actor.of(actor_type=kind, actor_id=kind, org_id=org_id, scopes=map(str, held))
        for kind, org_id, held in itertools.product(ActorType, ("org_01ARZ3NDEKTSV4RRFFQ69G5FAV", "", None), scopes)
    ]


async def who_discards(obs: RecordedObservability, file: Path, trail: MemoryAudit) -> list[Actor]:
    """The actors by whom something is discarded, when all else is in order."""
    found = []
    for actor in everybody():
        tool = Tool()
        with suppress(EventLogKept):
            await guard(obs, file, DECISION, tool, trail).discard_event_log(actor, policy_id="RP-7", adr="ADR-31", now=NOW)
        if tool.horizons:
            found.append(actor)
    return found


async def test_only_an_operator_who_administers_the_platform_discards_anything(
    obs: RecordedObservability, tmp_path: Path
) -> None:
    """A tenant, a node or an operator without the scope is refused, counted and on record, each with a reason of its own."""
    trail = MemoryAudit()
    found = await who_discards(obs, tmp_path / "p.toml", trail)
    assert found == [actor for actor in everybody() if actor.is_operator and Scope.NODES_ADMIN in actor.scopes]
    denied: dict[str, set[str]] = {actor.actor_id: set() for actor in everybody()}
    refusals = [record for record in trail.records("platform") if record.decision == "deny"]
    assert (obs.sample(EVENT_LOG_DISCARD_REFUSALS), len(found)) == (len(refusals), len(everybody()) - len(refusals))
    for record in refusals:
        denied[record.actor_id].add(record.reason)
    assert denied == {kind: {"operator_only", "scope_missing"} for kind in ("user", "service_principal", "system")} | {
        "node": {"operator_only"}
    }
    with pytest.raises(EventLogKept) as refused:
        await guard(obs, tmp_path / "p.toml", DECISION, Tool()).discard_event_log(
            everybody()[0], policy_id="RP-7", adr="ADR-31", now=NOW
        )
    assert str(refused.value) == (
        "the event log is kept: only an operator of the platform with the scope 'nodes:admin' may have it shortened"
    )


async def test_mutant_that_asks_for_the_scope_alone_is_caught(
    obs: RecordedObservability, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that looks at a token's scopes and not at whose it is lets tenants discard, and is found by trying everybody."""
    monkeypatch.setattr(
        EventLogGuard,
        "_judged",
        lambda self, actor, resource: None if Scope.NODES_ADMIN in actor.scopes else ("scope_missing", ""),
    )
    assert any(actor.org_id for actor in await who_discards(obs, tmp_path / "p.toml", MemoryAudit()))


@pytest.mark.parametrize(
    ("audit_events", "policy_id", "adr", "has_tool", "reason", "told"),
    [
        ('"permanent"', "", "", True, "no_policy_id", "the request names no policy_id, and nothing is discarded without one"),
        ('"permanent"', "RP-7", "", True, "no_adr", "the request names no adr, and nothing is discarded without"),
        ('"permanent"', "RP-7", "ADR-31", True, "permanent", "retention.audit_events is 'permanent' in "),
        (DECISION, "RP-8", "ADR-31", True, "other_decision", "'RP-8' and 'ADR-31' are not the decision in "),
        (DECISION.replace("accepted", "open"), "RP-7", "ADR-31", True, "adr_not_accepted", "ADR-31 is not accepted, by "),
        (DECISION, "RP-7", "ADR-31", False, "no_tool", "this platform has no tool that discards events"),
    ],
)  # fmt: skip
async def test_a_refusal_says_why_counts_and_is_on_record(
    obs: RecordedObservability,
    tmp_path: Path,
    audit_events: str,
    policy_id: str,
    adr: str,
    has_tool: bool,
    reason: str,
    told: str,
) -> None:
    """The first condition that is not met is told to the caller, in the log line and in the audit record."""
    trail, tool = MemoryAudit(), Tool()
    kept = guard(obs, tmp_path / "p.toml", audit_events, tool if has_tool else None, trail)
    with pytest.raises(EventLogKept) as refused:
        await kept.discard_event_log(OPERATOR, policy_id=policy_id, adr=adr, now=NOW)
    assert str(refused.value).startswith(f"the event log is kept: {told}")
    assert refused.value.error_class is ErrorClass.PRECONDITION_FAILED
    assert (tool.horizons, obs.sample(EVENT_LOG_DISCARD_REFUSALS)) == ([], 1)
    (record,) = trail.records("platform")
    assert (record.action, record.decision, record.reason, record.actor_id) == (
        "event_log.discard", "deny", reason, "operator",
    )  # fmt: skip
    assert [line["reason"] for line in obs.events("event_log.discard_refused")] == [reason]


async def test_what_is_decided_is_done_by_the_hosts_tool_and_on_record(obs: RecordedObservability, tmp_path: Path) -> None:
    """The record stands before the tool runs, and only what is older than the policy keeps goes."""
    trail, tool = MemoryAudit(), Tool()
    allowed = guard(obs, tmp_path / "p.toml", DECISION, tool, trail)
    assert await allowed.discard_event_log(OPERATOR, policy_id="RP-7", adr="ADR-31", now=NOW) == 17
    assert tool.horizons == [NOW - 400 * 86_400]
    assert [(record.decision, record.reason) for record in trail.records("platform")] == [("allow", "RP-7 ADR-31")]
    assert obs.sample(EVENT_LOG_DISCARD_REFUSALS) == 0


@pytest.mark.parametrize("reason", sorted(BROKEN))
async def test_what_cannot_be_put_on_record_is_not_done(reason: str, obs: RecordedObservability, tmp_path: Path) -> None:
    """With a broken trail even a decided discard removes nothing."""
    tool = Tool()
    with pytest.raises(AuditUnavailable):
        await guard(obs, tmp_path / "p.toml", DECISION, tool, BROKEN[reason]()).discard_event_log(
            OPERATOR, policy_id="RP-7", adr="ADR-31", now=NOW
        )
    assert tool.horizons == []
