"""An operator reads in a tenant's org only in a declared emergency: with a reason, for a while, on record in both orgs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from obslib.access import (
    LONGEST_EMERGENCY_S,
    Actor,
    Auditor,
    Emergency,
    Scope,
)
from obslib.access.audit import AuditRecord, Phase
from obslib.access.grant import Lease
from obslib.errors import AccessDenied, AuditUnavailable, EmergencyRefused
from obslib.testing import MemoryAudit, RecordedObservability
from tests.access.reading import ENV, OURS, THEIRS, clock_of, in_emergency, read
from tests.access.tenant_log import LINES, TenantLog


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
