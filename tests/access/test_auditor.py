"""The audited door: first the record, then the data; no record, no data."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from obslib.access import (
    LONGEST_EMERGENCY_S,
    ROLE_SCOPES,
    Actor,
    ActorType,
    Auditor,
    AuditSink,
    Emergency,
    JsonLinesAudit,
    RequestInfo,
    Resource,
    Role,
    Scope,
    not_found,
    verify,
)
from obslib.access import decision as decision_module
from obslib.access.audit import AuditRecord, Phase
from obslib.access.grant import Lease, issue
from obslib.catalog.platform.audit import AUDIT_RECORDS, AUDIT_REFUSED_READS
from obslib.errors import AccessDenied, AuditRequired, AuditUnavailable, Closed, EmergencyRefused, ErrorClass, SettingsError
from obslib.testing import FixedClock, MemoryAudit, RecordedObservability, observability
from tests.access.broken_audit import BROKEN, patience_s
from tests.access.tenant_log import LINES, TenantLog

OURS = "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"
THEIRS = "org_01BX5ZZKBKACTAV9WEVGEMMVRZ"
ENV = Resource(type="env", id="env_01ARZ3NDEKTSV4RRFFQ69G5FAV", path="/v1/orgs/acme/apps/web/envs/prod/logs")
REQUEST = RequestInfo(request_id="req_1", source_ip="192.0.2.7", user_agent="platform/0.1", trace_id="ab" * 16)


@pytest.fixture
def obs() -> RecordedObservability:
    """A control plane's telemetry, recorded."""
    return observability("control-plane")


@pytest.fixture
def trail() -> MemoryAudit:
    """A trail that works."""
    return MemoryAudit()


def in_emergency(obs: RecordedObservability, seconds: float = 600.0) -> Emergency:
    """A declaration that is good for a while."""
    now = obs.clock.now()
    return Emergency.declared(reason="INC-7: customer cannot log in", expires_at=now + seconds, now=now)


def clock_of(obs: RecordedObservability) -> FixedClock:
    """The clock that moves only when told to."""
    assert isinstance(obs.clock, FixedClock)
    return obs.clock


async def read(auditor: Auditor, actor: Actor, log: TenantLog, org_id: str = OURS, **options: Any) -> None:
    """Read an org's lines as a handler would."""
    async with auditor.reading(actor, Scope.LOGS_READ, org_id, action="logs.query", resource=ENV, **options) as reading:
        lines = log.read(reading.grant)
        reading.count(len(lines))


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


# --- emergencies ------------------------------------------------------------------------------------


async def test_an_operator_reads_a_tenants_lines_only_in_an_emergency(
    operator: Actor, obs: RecordedObservability, trail: MemoryAudit
) -> None:
    """Without a declaration the org does not exist; with one both chains tell who, why and until when."""
    auditor, log = Auditor(trail, obs), TenantLog(trail)
    with pytest.raises(AccessDenied, match="there is no such env"):
        await read(auditor, operator, log)
    assert log.bytes_read == 0
    await read(auditor, operator, log, emergency=in_emergency(obs))
    assert log.bytes_read_unrecorded == 0
    for chain in ("platform", OURS):
        opened, closed = trail.records(chain)[-2:]
        assert (opened.reason, opened.actor_id, opened.subject_org_id) == ("emergency", "operator", OURS)
        assert opened.emergency_reason == "INC-7: customer cannot log in"
        assert opened.emergency_expires
        assert closed.lines == len(LINES)


async def test_an_emergency_that_only_one_chain_can_tell_reads_nothing(operator: Actor, obs: RecordedObservability) -> None:
    """When the tenant's chain fails, the operator's own says that it came to nothing."""

    class TenantsBroken(MemoryAudit):
        async def append(self, record: AuditRecord, expected_head: str) -> str:
            if record.org_id == OURS:
                raise OSError("broken")
            return await super().append(record, expected_head)

    trail, log = TenantsBroken(), TenantLog()
    with pytest.raises(AuditUnavailable):
        await read(Auditor(trail, obs), operator, log, emergency=in_emergency(obs))
    assert log.bytes_read == 0
    assert [(r.phase, r.result, r.error_class) for r in trail.records("platform")] == [
        (Phase.OPEN, "pending", ""), (Phase.CLOSE, "error", "unavailable"),
    ]  # fmt: skip


class _LeavesOpen(Auditor):
    """A broken build: who is cancelled before the last beginning is on record leaves the others without an end."""

    async def _end_unread(self, opening: asyncio.Task[list[AuditRecord]], error: BaseException) -> None:
        await asyncio.wait((opening,))


@pytest.mark.parametrize(("build", "is_whole"), [(Auditor, True), (_LeavesOpen, False)])
@pytest.mark.parametrize("slow_chain", ["platform", OURS])
async def test_no_beginning_is_left_without_an_end(
    slow_chain: str, build: type[Auditor], is_whole: bool, operator: Actor, obs: RecordedObservability
) -> None:
    """Who leaves while a beginning is being written, in either chain, was there for no line; a build that forgets is caught."""
    is_writing, may_write = asyncio.Event(), asyncio.Event()

    class Slow(MemoryAudit):
        async def append(self, record: AuditRecord, expected_head: str) -> str:
            if record.org_id == slow_chain:
                is_writing.set()
                await may_write.wait()
            return await super().append(record, expected_head)

    trail, log = Slow(), TenantLog()
    auditor = build(trail, obs, deadline_s=60.0)
    task = asyncio.ensure_future(read(auditor, operator, log, emergency=in_emergency(obs)))
    await is_writing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    may_write.set()
    await auditor.settle()
    for chain in ("platform", OURS):
        told = [(r.phase, r.reason, r.lines) for r in trail.records(chain)]
        assert (told == [(Phase.OPEN, "emergency", None), (Phase.CLOSE, "reader_left", 0)]) is is_whole
    assert log.bytes_read == 0


async def test_an_emergency_ends(operator: Actor, obs: RecordedObservability, trail: MemoryAudit) -> None:
    """A reading that goes on past the expiry gets no further line, and no new one is opened."""
    emergency, log = in_emergency(obs, seconds=60), TenantLog()
    auditor = Auditor(trail, obs)
    options: dict[str, Any] = {"action": "logs.tail", "resource": ENV, "emergency": emergency}
    async with auditor.reading(operator, Scope.LOGS_READ, OURS, **options) as reading:
        log.read(reading.grant)
        clock_of(obs).advance(61)
        with pytest.raises(AccessDenied, match="there is no such env"):
            log.read(reading.grant)
    with pytest.raises(AccessDenied):
        await read(auditor, operator, log, emergency=emergency)


async def reads_past_the_end(operator: Actor, obs: RecordedObservability) -> list[str]:
    """The ways of setting the clock by which an operator reads on when an emergency of a minute is over."""
    found, clock = [], clock_of(obs)
    ways = {
        "set back before": [(-3_600, 61)],
        "set back after": [(0, 61), (-3_600, 0)],
        "forward and back": [(61, 0), (-61, 0)],
    }
    for way, moves in ways.items():
        emergency, log = in_emergency(obs, seconds=60), TenantLog()
        options: dict[str, Any] = {"action": "logs.tail", "resource": ENV, "emergency": emergency}
        async with Auditor(MemoryAudit(), obs).reading(operator, Scope.LOGS_READ, OURS, **options) as reading:
            for set_by, passed in moves:
                clock.step(set_by)
                clock.advance(passed)
                before = log.bytes_read
                with suppress(AccessDenied):
                    log.read(reading.grant)
            if log.bytes_read > before:
                found.append(way)
        clock.step(-sum(set_by for set_by, _ in moves))
    return found


async def test_an_emergency_that_has_ended_does_not_begin_again(operator: Actor, obs: RecordedObservability) -> None:
    """Its time is measured on a clock that nobody sets, and what has expired stays so whatever the wall clock says then."""
    assert await reads_past_the_end(operator, obs) == []


async def test_mutant_that_looks_at_the_wall_clock_alone_is_caught(
    operator: Actor, obs: RecordedObservability, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build whose emergencies open again when the clock is set back is found by setting it."""
    monkeypatch.setattr(Lease, "has_expired", property(lambda lease: lease._clock.now() >= lease._expires_at))
    assert await reads_past_the_end(operator, obs) == ["set back before", "set back after", "forward and back"]


async def test_an_emergency_that_is_too_long_opens_nothing(
    operator: Actor, obs: RecordedObservability, trail: MemoryAudit
) -> None:
    """However the declaration was made, more than four hours at once are refused where it would be put in force."""
    for seconds in (LONGEST_EMERGENCY_S + 1, 3e8):
        emergency = Emergency(reason="INC-7: customer cannot log in", expires_at=obs.clock.now() + seconds)
        with pytest.raises(AccessDenied, match="there is no such env"):
            await read(Auditor(trail, obs), operator, TenantLog(), emergency=emergency)
    assert [record.reason for record in trail.records("platform")] == ["foreign_org"] * 2


async def test_an_emergency_opens_nothing_that_is_no_org(
    operator: Actor, obs: RecordedObservability, trail: MemoryAudit
) -> None:
    """What no chain can be called by is refused on the platform's, and begins none of its own."""
    for org_id in ("x" * 1_100_000, "../../etc", "\x1b[2J"):
        with pytest.raises(AccessDenied, match="there is no such env"):
            await read(Auditor(trail, obs), operator, TenantLog(), org_id, emergency=in_emergency(obs))
    assert list(trail.chains) == ["platform"]


async def test_an_emergency_is_an_operators_and_only_for_reading(
    developer: Actor, operator: Actor, node: Actor, obs: RecordedObservability, trail: MemoryAudit
) -> None:
    """A tenant or a node gains nothing by declaring one, and an operator changes nothing with it."""
    auditor, emergency = Auditor(trail, obs), in_emergency(obs)
    for actor in (developer, node):
        with pytest.raises(AccessDenied):
            await read(auditor, actor, TenantLog(), THEIRS, emergency=emergency)
    for scope in (Scope.SECRETS_WRITE, Scope.EXEC_WRITE, Scope.SECRETS_READ_MATERIAL, Scope.DEPLOYS_WRITE):
        with pytest.raises(AccessDenied):
            async with auditor.reading(operator, scope, OURS, action="x", resource=ENV, emergency=emergency):
                pass


@pytest.mark.parametrize(
    ("reason", "seconds", "told"),
    [
        ("   because  ", 60.0, "has 7 characters; write 10 to 500"),
        ("x" * 501, 60.0, "has 501 characters; write 10 to 500"),
        ("\u2800" * 20, 60.0, "has 0 characters; write 10 to 500"),
        ("\u200b" * 20, 60.0, "write it in characters that can be seen"),
        ("\u3164" * 20, 60.0, "write it in characters that can be seen"),
        ("INC-7: \x1b[2J cannot log in", 60.0, "write it in characters that can be seen"),
        ("INC-7: cannot log in", 3e8, "must end within 4 hours from now, and not before now"),
        ("INC-7: cannot log in", float("nan"), "cannot end at nan; give a Unix time in seconds"),
        ("INC-7: cannot log in", float("inf"), "cannot end at inf; give a Unix time in seconds"),
        ("INC-7: cannot log in", 0.0, "must end within 4 hours from now, and not before now"),
        ("INC-7: cannot log in", 4 * 3_600.0 + 1, "must end within 4 hours from now, and not before now"),
    ],
)
def test_an_emergency_needs_a_reason_and_an_end(reason: str, seconds: float, told: str) -> None:
    """A declaration that says nothing, or never ends, is refused with what it needs."""
    with pytest.raises(EmergencyRefused, match=told):
        Emergency.declared(reason=reason, expires_at=1_000.0 + seconds, now=1_000.0)


@pytest.mark.parametrize("reason", ["", " " * 20, "\u2060" * 20, "INC-7:\ncannot log in", "short", "x" * 501, None, 7])
def test_no_emergency_is_made_without_a_reason(reason: Any) -> None:
    """Whoever makes one without ``declared`` is refused as well."""
    with pytest.raises(EmergencyRefused, match="the reason of an emergency access"):
        Emergency(reason=reason, expires_at=1_000.0)


@pytest.mark.parametrize("expires_at", [float("inf"), float("-inf"), float("nan"), 1e300, 10**400, -1, 0, None, "soon"])
def test_no_emergency_is_made_without_an_end(expires_at: Any) -> None:
    """An end that is no moment is refused in a sentence, and never an OverflowError when it is put on record."""
    with pytest.raises(EmergencyRefused, match=r"an emergency access cannot end at .*; give a Unix time in seconds"):
        Emergency(reason="INC-7: cannot log in", expires_at=expires_at)
