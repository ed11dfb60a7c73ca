"""The audited door: first the record, then the data; no record, no data."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from obslib.access import (
    ROLE_SCOPES,
    Actor,
    ActorType,
    Auditor,
    AuditSink,
    JsonLinesAudit,
    RequestInfo,
    Role,
    Scope,
    not_found,
    verify,
)
from obslib.access import decision as decision_module
from obslib.access.audit import AuditRecord, Phase
from obslib.access.grant import issue
from obslib.catalog.platform.audit import AUDIT_RECORDS, AUDIT_REFUSED_READS
from obslib.errors import AccessDenied, AuditRequired, AuditUnavailable, Closed, ErrorClass, SettingsError
from obslib.testing import MemoryAudit, RecordedObservability
from tests.access.broken_audit import BROKEN, patience_s
from tests.access.reading import ENV, OURS, THEIRS, in_emergency, read
from tests.access.tenant_log import LINES, TenantLog

REQUEST = RequestInfo(request_id="req_1", source_ip="192.0.2.7", user_agent="platform/0.1", trace_id="ab" * 16)


async def bytes_past(auditor_class: type[Auditor], sink: AuditSink, obs: RecordedObservability, rounds: int = 20) -> int:
    """How many bytes arbitrary actors get out of a log whose trail is ``sink``."""
    chance, log = random.Random(7), TenantLog()
    auditor = auditor_class(sink, obs, deadline_s=patience_s(sink))
    for _ in range(rounds):
        actor = Actor(
            actor_type=chance.choice(list(ActorType)),
            actor_id="x",
            org_id=chance.choice([OURS, OURS, THEIRS, None]),
            scopes=chance.choice([frozenset(Scope), ROLE_SCOPES[Role.READONLY], frozenset()]),
        )
        emergency = chance.choice([None, in_emergency(obs)])
        with suppress(AccessDenied, AuditUnavailable):
            await read(auditor, actor, log, chance.choice([OURS, THEIRS]), emergency=emergency)
    return log.bytes_read


class _OpensFirst(Auditor):
    """A broken build: the record is written while the data is already being read."""

    async def _record_or_refuse(self, record: AuditRecord) -> None:
        task = asyncio.ensure_future(self._record_or_count(record))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class _Forgiving(Auditor):
    """A broken build: a record that cannot be written is counted, and the data read all the same."""

    async def _record_or_refuse(self, record: AuditRecord) -> None:
        with suppress(AuditUnavailable):
            await super()._record_or_refuse(record)


# --- the two records --------------------------------------------------------------------------------


async def test_a_reading_has_a_record_before_and_one_after(
    developer: Actor, obs: RecordedObservability, trail: MemoryAudit
) -> None:
    """The open record says all that is known beforehand; the close record repeats it with what was returned (WLG-10)."""
    auditor, log = Auditor(trail, obs), TenantLog(trail)
    selectors = {"env_id": ENV.id, "process_type": "web"}
    await read(auditor, developer, log, request=REQUEST, selectors=selectors, since="2026-01-31T09:00:00Z")
    opened, closed = (record.as_dict() for record in trail.records(OURS))
    assert opened == {
        "timestamp": opened["timestamp"], "event_id": opened["event_id"], "phase": Phase.OPEN, "opened_by": "",
        "org_id": OURS, "subject_org_id": OURS, "request_id": "req_1", "trace_id": "ab" * 16, "actor_type": "user",
        "actor_id": "usr_1", "actor_org_id": OURS, "scopes": tuple(sorted(map(str, developer.scopes))), "scope": "logs:read",
        "action": "logs.query", "resource_type": "env", "resource_id": ENV.id, "resource_path": ENV.path,
        "selectors": selectors, "since": "2026-01-31T09:00:00Z", "until": "", "decision": "allow", "reason": "scope_held",
        "emergency_reason": "", "emergency_expires": "", "source_ip": "192.0.2.7", "user_agent": "platform/0.1",
        "result": "pending", "error_class": "", "lines": None, "policy_version": "1",
    }  # fmt: skip
    told = {"event_id": closed["event_id"], "timestamp": closed["timestamp"], "phase": Phase.CLOSE, "result": "ok"}
    assert closed == opened | told | {"opened_by": opened["event_id"], "lines": len(LINES)}
    assert obs.sample(AUDIT_RECORDS, result="success") == 2


async def test_what_ended_a_reading_is_on_record(developer: Actor, obs: RecordedObservability, trail: MemoryAudit) -> None:
    """A failure has its class; a reader who leaves is no failure; the lines returned until then count in both."""
    auditor = Auditor(trail, obs)
    for error in (TimeoutError("slow"), asyncio.CancelledError()):
        with suppress(TimeoutError, asyncio.CancelledError):
            async with auditor.reading(developer, Scope.LOGS_READ, OURS, action="logs.tail", resource=ENV) as reading:
                reading.count(3)
                raise error
    ends = [(r.result, r.error_class, r.reason, r.lines) for r in trail.records(OURS) if r.phase is Phase.CLOSE]
    assert ends == [("error", "timeout", "scope_held", 3), ("ok", "", "reader_left", 3)]


async def test_a_task_that_is_cancelled_twice_still_leaves_its_record(developer: Actor, obs: RecordedObservability) -> None:
    """Being cancelled while the close record is written does not lose it."""
    trail, is_reading = MemoryAudit(), asyncio.Event()
    auditor = Auditor(trail, obs)

    async def tail() -> None:
        async with auditor.reading(developer, Scope.LOGS_READ, OURS, action="logs.tail", resource=ENV):
            is_reading.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(tail())
    await is_reading.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await auditor.settle()
    assert [record.phase for record in trail.records(OURS)] == [Phase.OPEN, Phase.CLOSE]


async def test_an_awaited_reading_is_closed_by_its_holder_once(
    developer: Actor, obs: RecordedObservability, trail: MemoryAudit
) -> None:
    """A stream opens its reading before it answers and closes it at its end; twice is once."""
    reading = await Auditor(trail, obs).reading(developer, Scope.LOGS_READ, OURS, action="logs.tail", resource=ENV)
    assert repr(reading) == f"<Reading {reading.grant.record_id}: 0 lines>"
    await reading.close()
    await reading.close()
    assert [record.phase for record in trail.records(OURS)] == [Phase.OPEN, Phase.CLOSE]


@pytest.mark.parametrize(
    ("lines", "told"), [(-3, ValueError), (True, TypeError), (2.0, TypeError), ("2", TypeError), (None, TypeError)]
)
async def test_what_was_returned_is_never_taken_back(
    lines: Any, told: type[Exception], developer: Actor, obs: RecordedObservability, trail: MemoryAudit
) -> None:
    """Only a number of lines counts, and only upwards; nobody sets the sum."""
    async with Auditor(trail, obs).reading(developer, Scope.LOGS_READ, OURS, action="logs.query", resource=ENV) as reading:
        reading.count(5)
        reading.count(0)
        with pytest.raises(told, match=r"lines (that were returned are counted by an int|cannot have been returned)"):
            reading.count(lines)
        with pytest.raises(AttributeError):
            reading.lines = 0  # type: ignore[misc]  # the point of the test
    assert (reading.lines, trail.records(OURS)[-1].lines) == (5, 5)


async def test_a_lost_close_record_hides_nothing(developer: Actor, obs: RecordedObservability) -> None:
    """The reading stands, the loss is counted and logged with the lines returned, the open record stays."""
    trail = MemoryAudit()
    auditor = Auditor(trail, obs)
    async with auditor.reading(developer, Scope.LOGS_READ, OURS, action="logs.query", resource=ENV) as reading:
        reading.count(2)
        trail.append = BROKEN["disk_full"]().append  # type: ignore[method-assign]  # the disk fills up meanwhile
    lost = obs.events("audit.record_lost")
    assert [(line["audit_id"], line["reason"], line["count"]) for line in lost] == [(reading.grant.record_id, "disk_full", 2)]
    assert obs.sample(AUDIT_RECORDS, result="failure") == 1
    assert trail.holds(reading.grant.record_id)


async def test_no_secret_gets_into_a_record(developer: Actor, obs: RecordedObservability, trail: MemoryAudit) -> None:
    """What a caller sends is redacted, bounded and printable before it is kept."""
    token = "Bearer mpt_" + "a1B2" * 10
    request = RequestInfo(user_agent=token + "\x1b[2J\0", request_id="r" * 10_000)
    await read(Auditor(trail, obs), developer, TenantLog(), request=request, selectors={"contains": token, "password": "x1"})
    record = trail.records(OURS)[0]
    text = record.canonical().decode()
    assert "a1B2" not in text
    assert "x1" not in record.selectors["password"]
    assert "\x1b" not in record.user_agent
    assert len(record.request_id) <= 512


async def test_no_refused_org_id_makes_a_trail_unreadable(developer: Actor, obs: RecordedObservability, tmp_path: Path) -> None:
    """A megabyte in the place of an org is refused and on record, and after a restart the chain is found and goes on."""
    for lines in (1, 2):
        trail = JsonLinesAudit(tmp_path, on_torn=lambda path: None)
        with pytest.raises(AccessDenied, match="there is no such env"):
            await read(Auditor(trail, obs), developer, TenantLog(), "x" * 1_100_000)
        trail.close()
        assert verify(trail.links(OURS)) is None
        assert [len(link.record.subject_org_id) for link in trail.links(OURS)] == [512] * lines


# --- fail closed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", sorted(BROKEN))
async def test_not_a_byte_is_read_past_a_broken_trail(reason: str, obs: RecordedObservability) -> None:
    """However the trail fails, and whoever asks, nothing is read; each refusal is counted under what failed."""
    assert await bytes_past(Auditor, BROKEN[reason](), obs) == 0
    assert (obs.sample(AUDIT_REFUSED_READS, reason=reason) or 0) > 0
    assert {line["reason"] for line in obs.events("audit.refused_read")} == {reason}


@pytest.mark.parametrize("mutant", [_OpensFirst, _Forgiving])
async def test_mutants_that_read_past_a_broken_trail_are_caught(mutant: type[Auditor], obs: RecordedObservability) -> None:
    """A build that writes too late, or shrugs, is found by the search above."""
    assert await bytes_past(mutant, BROKEN["write_failed"](), obs) > 0
    assert await bytes_past(Auditor, MemoryAudit(), obs) > 0


async def test_the_record_is_kept_before_the_first_byte(developer: Actor, obs: RecordedObservability) -> None:
    """Nothing leaves the store before its record is durable; a build that writes it meanwhile is caught."""
    for build, unrecorded in ((Auditor, False), (_OpensFirst, True)):
        trail = MemoryAudit()
        log = TenantLog(trail)
        auditor = build(trail, obs)
        await read(auditor, developer, log)
        await auditor.settle()
        assert (log.bytes_read > 0, log.bytes_read_unrecorded > 0) == (True, unrecorded)


async def test_the_refusal_says_what_to_do(developer: Actor, obs: RecordedObservability) -> None:
    """It is an outage of ours, not a refusal of theirs: class unavailable, to be tried again."""
    with pytest.raises(AuditUnavailable) as refused:
        await read(Auditor(BROKEN["closed"](), obs), developer, TenantLog())
    assert str(refused.value) == "the access could not be put on record, so nothing was read or done; try again shortly"
    assert (refused.value.error_class, refused.value.error_class.is_retryable) == (ErrorClass.UNAVAILABLE, True)


async def test_a_trail_that_does_not_even_heed_cancellation_keeps_nobody(developer: Actor, obs: RecordedObservability) -> None:
    """The reading is refused at the deadline; once the trail answers again, its chain is whole and goes on."""
    answers = asyncio.Event()

    class Deaf(MemoryAudit):
        async def append(self, record: AuditRecord, expected_head: str) -> str:
            while not answers.is_set():
                with suppress(asyncio.CancelledError):
                    await answers.wait()
            return await super().append(record, expected_head)

    trail, log = Deaf(), TenantLog()
    auditor = Auditor(trail, obs, deadline_s=0.01)
    for _ in range(2):
        with pytest.raises(AuditUnavailable):
            await read(auditor, developer, log)
    assert (log.bytes_read, obs.sample(AUDIT_REFUSED_READS, reason="timeout")) == (0, 2)
    answers.set()
    auditor._deadline_s = 60.0
    await read(auditor, developer, log)
    assert log.bytes_read > 0
    assert verify(trail.chains[OURS]) is None


async def test_a_trail_that_works_again_is_used_again(developer: Actor, obs: RecordedObservability) -> None:
    """After a failure the head is asked for anew, so that a record of unknown fate does not block the chain."""
    trail, log = MemoryAudit(), TenantLog()
    auditor = Auditor(trail, obs)
    works, trail.append = trail.append, BROKEN["timeout"]().append  # type: ignore[method-assign]
    auditor._deadline_s = 0.01
    with pytest.raises(AuditUnavailable):
        await read(auditor, developer, log)
    trail.append = works  # type: ignore[method-assign]
    auditor._deadline_s = 30.0
    await read(auditor, developer, log)
    assert log.bytes_read > 0


def test_without_a_sink_there_is_no_auditor(obs: RecordedObservability) -> None:
    """It refuses at wiring, with what to pass."""
    with pytest.raises(
        SettingsError, match=r"there is no audit sink, and without one nothing may be read; pass audit=Postgres"
    ):
        Auditor(None, obs)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("deadline_s", [0, -1, float("nan"), float("inf"), None, "x", True])
def test_a_record_has_a_deadline(deadline_s: Any, obs: RecordedObservability, trail: MemoryAudit) -> None:
    """One that never comes, or has passed before it begins, is refused at wiring."""
    with pytest.raises(
        SettingsError, match=r"deadline_s of an Auditor is .*; give the seconds a record may take, such as 3\.0"
    ):
        Auditor(trail, obs, deadline_s=deadline_s)


# --- grants on record -------------------------------------------------------------------------------


def test_no_other_door_opens_what_is_audited(developer: Actor) -> None:
    """Even the function that makes grants makes none for an audited scope without the lease of a record."""
    decision = decision_module.decide(developer, Scope.LOGS_READ, OURS, ENV)
    with pytest.raises(AuditRequired, match="'logs:read' needs the record of the access; only an Auditor issues it"):
        issue(decision)


async def test_a_grant_ends_with_its_reading(developer: Actor, obs: RecordedObservability, trail: MemoryAudit) -> None:
    """A grant kept for later reads nothing that the close record would not tell."""
    async with Auditor(trail, obs).reading(developer, Scope.LOGS_READ, OURS, action="logs.query", resource=ENV) as reading:
        pass
    with pytest.raises(Closed, match=f"its record {reading.grant.record_id} is closed; open another reading"):
        TenantLog().read(reading.grant)


async def test_concurrent_readings_share_one_whole_chain(
    developer: Actor, obs: RecordedObservability, trail: MemoryAudit
) -> None:
    """Fifty readers at once, half through another auditor as a second process would be, leave one unbroken chain."""
    auditors = [Auditor(trail, obs), Auditor(trail, obs)]
    await asyncio.gather(*(read(auditors[n % 2], developer, TenantLog()) for n in range(50)))
    assert len(trail.chains[OURS]) == 100
    assert verify(trail.chains[OURS]) is None


# --- refusals ---------------------------------------------------------------------------------------


async def test_a_refusal_is_on_record_where_the_asker_belongs(
    developer: Actor, operator: Actor, obs: RecordedObservability, trail: MemoryAudit
) -> None:
    """A foreign org learns nothing of who tried; the asker's own does (platform facts §16)."""
    for actor, chain in ((developer, OURS), (operator, "platform")):
        with pytest.raises(AccessDenied):
            await read(Auditor(trail, obs), actor, TenantLog(), THEIRS)
        record = trail.records(chain)[-1]
        told = (record.phase, record.decision, record.reason, record.result, record.error_class, record.subject_org_id)
        assert told == ("whole", "deny", "foreign_org", "error", "not_found", THEIRS)
    assert trail.records(THEIRS) == []


@pytest.mark.parametrize("reason", [None, *sorted(BROKEN)])
async def test_foreign_and_missing_stay_one_answer_in_the_presence_of_audit(
    reason: str | None, developer: Actor, obs: RecordedObservability
) -> None:
    """A foreign org, one that is not there and a missing row say the same, whether the trail works or not."""
    sink, told = BROKEN[reason]() if reason else MemoryAudit(), set()
    auditor = Auditor(sink, obs, deadline_s=patience_s(sink))
    for org_id in (THEIRS, "", "org_00000000000000000000000000"):
        with pytest.raises((AccessDenied, AuditUnavailable)) as refused:
            await read(auditor, developer, TenantLog(), org_id)
        told.add((type(refused.value), str(refused.value), refused.value.error_class))
    assert len(told) == 1
    missing = not_found(ENV)
    assert reason or told == {(AccessDenied, str(missing), missing.error_class)}


async def test_a_missing_scope_is_forbidden_and_on_record(obs: RecordedObservability, trail: MemoryAudit) -> None:
    """In one's own org the refusal names the scope (WLG-09)."""
    member = Actor(actor_type=ActorType.USER, actor_id="usr_3", org_id=OURS, scopes=frozenset({Scope.ENVS_READ}))
    with pytest.raises(AccessDenied, match="'logs:read'"):
        await read(Auditor(trail, obs), member, TenantLog())
    assert [(r.decision, r.reason, r.error_class) for r in trail.records(OURS)] == [("deny", "scope_missing", "forbidden")]


async def test_a_refusal_of_what_needs_no_record_stands_when_the_trail_is_broken(
    developer: Actor, obs: RecordedObservability
) -> None:
    """Nothing was read either way; that the record is lost is counted and logged."""
    decision = decision_module.decide(developer, Scope.BILLING_READ, OURS, ENV)
    await Auditor(BROKEN["disk_full"](), obs).refused(decision, action="billing.read", request=REQUEST)
    assert obs.sample(AUDIT_RECORDS, result="failure") == 1
    assert [line["action"] for line in obs.events("audit.record_lost")] == ["billing.read"]
