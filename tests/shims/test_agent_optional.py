"""What only some agents do: deliver secrets, attach volumes, take snapshots, run actors (EXT-02, EXT-06, EXT-07, EXT-08)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obslib.catalog import Declaration, Family
from obslib.catalog.platform import PLATFORM
from obslib.catalog.platform import actors as a
from obslib.catalog.platform import data_plane as d
from obslib.catalog.platform import secrets as s
from obslib.catalog.platform import terms as t
from obslib.catalog.platform import volumes as v
from obslib.catalog.signals import NO_REASON
from obslib.redaction import Redactor
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib_agent import Actors, Agent, Secrets, instrument
from tests.shims.mailbox import CAPACITY, Mailbox

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
INSTANCE, BOOT, VERSION = f"inst_{ULID}", f"boot_{ULID}", f"sv_{ULID}"
VOLUME, ATTACHMENT, SNAPSHOT, RESTORE = f"vol_{ULID}", f"vat_{ULID}", f"snap_{ULID}", f"rjob_{ULID}"
PLANTED = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
ROWS = {"EXT-02", "EXT-06", "EXT-07", "EXT-08"}
OPTIONAL = [family for family in PLATFORM.of(Family) if ROWS.intersection(family.serves)]


class PlainLauncher:
    """A launcher that starts processes."""

    kvm_device: str | None = None


class Failed(Exception):
    """Something of the host that failed, with its reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"could not: {reason}")
        self.reason = reason


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
    """The shim of an agent that does everything; two volumes are attached."""
    return instrument(
        obs, launcher=PlainLauncher(), overlay=None, delivers_secrets=True, takes_snapshots=True,
        volume_attachments=lambda: 2, actors=lambda: {"instance": 3, "image_pull": 0},
    )  # fmt: skip


def series(obs: RecordedObservability, name: str) -> dict[tuple[str, ...], float]:
    """Every sample of a counter, by what its own labels hold."""
    found = next((m for m in obs.metrics.collector.collect() if m.name == name.removesuffix("_total")), None)
    own = [use.name for use in next(f for f in PLATFORM.of(Family) if f.name == name).labels]
    return {tuple(x.labels[key] for key in own): x.value for x in found.samples if x.name == name} if found else {}


def counted(obs: RecordedObservability, name: str) -> dict[tuple[str, ...], float]:
    """Those that have counted something."""
    return {labels: value for labels, value in series(obs, name).items() if value}


def optional_shown(obs: RecordedObservability) -> list[str]:
    """The families of this page that an exposition holds."""
    shown = {family.name for family in obs.metrics.collector.collect()}
    return [family.name for family in OPTIONAL if family.name.removesuffix("_total") in shown]


def parent_of(span: Any) -> int | None:
    """The id of the span it is inside."""
    return span.parent.span_id if span.parent else None


def seconds(obs: RecordedObservability, family: Declaration, result: str) -> float | None:
    """The sum of a histogram for one result."""
    return obs.sample(f"{family.name}_sum", result=result)


# --- what a host does not have --------------------------------------------------------------------


def test_what_a_host_does_not_do_is_absent_and_never_zero(obs: RecordedObservability) -> None:
    """Without the drivers there are neither verbs nor series: not having failed and not having tried are not alike."""
    agent = instrument(obs, launcher=PlainLauncher(), overlay=None)
    assert (agent.secrets, agent.volumes, agent.snapshots, agent.actors) == (None, None, None, None)
    assert len(OPTIONAL) == 12
    assert optional_shown(obs) == []


def test_mutant_a_shim_that_binds_what_its_host_does_not_do_is_found(obs: RecordedObservability) -> None:
    """With deliveries bound whatever the host says, the look above finds series at 0 for what nobody tried."""
    assert optional_shown(obs) == []
    Secrets(obs)
    assert optional_shown(obs) == ["agent_secrets_deliveries_total", "agent_secrets_delivery_duration_seconds"]


def test_what_it_does_begins_at_zero_with_the_outcomes_that_can_be(obs: RecordedObservability, agent: Agent) -> None:
    """A first failure is a step from 0; a success with a reason, or a failure without one, is no series at all."""
    assert agent.secrets
    for reasons, family in (
        (t.SECRETS_REASONS, s.AGENT_SECRETS_DELIVERIES),
        (t.VOLUME_REASONS, v.AGENT_VOLUME_ATTACH),
        (t.RESTORE_REASONS, v.AGENT_RESTORES),
    ):
        expected = {("success", NO_REASON): 0.0, **{("failure", reason): 0.0 for reason in reasons.values}}
        assert series(obs, family.name) == expected
    assert series(obs, v.AGENT_SNAPSHOTS.name) == {("success",): 0.0, ("failure",): 0.0}


# --- secrets (EXT-02) -----------------------------------------------------------------------------


def test_a_delivery_is_counted_timed_and_traced_inside_its_boot(
    obs: RecordedObservability, agent: Agent, clock: FixedClock
) -> None:
    """One success without a reason, its seconds, a span below the boot's, and a line with the version and the instance."""
    assert agent.secrets
    boot = obs.operation(d.INSTANCE_BOOT)
    with obs.bind(instance_id=INSTANCE), boot(instance_id=INSTANCE, boot_id=BOOT), agent.secrets.delivering(VERSION):
        clock.advance(0.25)
    assert counted(obs, s.AGENT_SECRETS_DELIVERIES.name) == {("success", "none"): 1.0}
    assert seconds(obs, s.AGENT_SECRETS_DELIVERY_DURATION, "success") == pytest.approx(0.25)
    spans = {span.name: span for span in obs.spans()}
    assert parent_of(spans["agent.secrets_delivery"]) == spans["agent.instance_boot"].context.span_id
    assert dict(spans["agent.secrets_delivery"].attributes or {})["secret_version_id"] == VERSION
    [line] = obs.events("secrets.delivered")
    assert (line["instance_id"], line["secret_version_id"], line["duration_seconds"]) == (INSTANCE, VERSION, 0.25)


@pytest.mark.parametrize(
    ("told", "reason", "code"),
    [
        ("master_key_unavailable", "master_key_unavailable", "secrets_injection_failed"),
        ("decrypt_failed: tag mismatch", "decrypt_failed", "secrets_injection_failed"),
        ("secrets_write_failed", "secrets_write_failed", "secrets_injection_failed"),
        ("secrets_missing", "secrets_missing", "secrets_missing"),
        ("the moon", "secrets_injection_failed", "firecracker_start_failed"),
    ],
)
def test_a_delivery_that_fails_says_why_and_fails_its_boot(
    obs: RecordedObservability, agent: Agent, clock: FixedClock, told: str, reason: str, code: str
) -> None:
    """The delivery counts under its own reason, the boot under the instance's reason code for it (platform facts §10)."""
    assert agent.secrets
    delivery = agent.secrets.delivering("" if reason == "secrets_missing" else VERSION)
    with obs.operation(d.INSTANCE_BOOT)(instance_id=INSTANCE, boot_id=BOOT) as boot, delivery:
        clock.advance(0.5)
        raise Failed(told)
    assert counted(obs, "agent_secrets_deliveries_total") == {("failure", reason): 1.0}
    assert seconds(obs, s.AGENT_SECRETS_DELIVERY_DURATION, "failure") == pytest.approx(0.5)
    assert (boot.ok, boot.reason) == (False, code)
    assert counted(obs, "agent_instance_boot_failures_total") == {(code,): 1.0}
    [line] = obs.events("secrets.delivery_failed")
    assert (line["level"], line["reason"]) == ("error", reason)
    assert line.get("secret_version_id") == (None if reason == "secrets_missing" else VERSION)
    assert obs.events("secrets.delivered") == []


def test_no_signal_of_a_delivery_has_a_place_for_a_secret(obs: RecordedObservability, agent: Agent) -> None:
    """What a failure quotes by mistake is redacted in its lines and span, and the declarations carry ids and times alone."""
    assert agent.secrets
    assert PLANTED not in told_of_a_careless_failure(obs, agent.secrets)
    fields = {f.name for e in (s.SECRETS_DELIVERED, s.SECRETS_DELIVERY_FAILED, s.AGENT_SECRETS_DELIVERY_SPAN) for f in e.fields}
    assert fields == {"secret_version_id", "duration_seconds", "reason"}


def told_of_a_careless_failure(obs: RecordedObservability, secrets: Secrets) -> str:
    """Everything that is written about a delivery whose error quotes the line it could not write."""
    with suppress(ValueError), secrets.delivering(VERSION):
        raise ValueError(f"line 1: STRIPE_TOKEN={PLANTED}")
    spans = [(span.attributes, [event.attributes for event in span.events], span.status.description) for span in obs.spans()]
    [line] = obs.events("secrets.delivery_failed")
    return json.dumps(line) + repr(spans)


def test_mutant_a_line_that_is_not_looked_through_is_found(
    obs: RecordedObservability, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a redactor that passes every text on, the secret stands in what is told."""
    assert agent.secrets
    monkeypatch.setattr(Redactor, "text", lambda self, text: text)
    assert PLANTED in told_of_a_careless_failure(obs, agent.secrets)


# --- volumes (EXT-07) -----------------------------------------------------------------------------


def test_an_attachment_is_counted_timed_and_told(obs: RecordedObservability, agent: Agent, clock: FixedClock) -> None:
    """One success, its seconds, a span inside the boot's phase, lines for its begin and end, and how many there are now."""
    assert agent.volumes
    with obs.bind(instance_id=INSTANCE):
        with agent.phases.volume(), agent.volumes.attaching(VOLUME, ATTACHMENT):
            clock.advance(0.125)
        agent.volumes.detached(VOLUME, ATTACHMENT)
    assert counted(obs, v.AGENT_VOLUME_ATTACH.name) == {("success", "none"): 1.0}
    assert seconds(obs, v.AGENT_VOLUME_ATTACH_DURATION, "success") == pytest.approx(0.125)
    assert obs.sample(v.AGENT_VOLUME_ATTACHMENTS) == 2.0
    spans = {span.name: span for span in obs.spans()}
    attach = spans["agent.volume_attach"]
    assert parent_of(attach) == spans["boot.volume"].context.span_id
    assert dict(attach.attributes or {}).items() >= {"volume_id": VOLUME, "attachment_id": ATTACHMENT}.items()
    lines = [*obs.events("volume.attached"), *obs.events("volume.detached")]
    assert [(x["instance_id"], x["volume_id"], x["attachment_id"]) for x in lines] == [(INSTANCE, VOLUME, ATTACHMENT)] * 2


@pytest.mark.parametrize("reason", t.VOLUME_REASONS.values)
def test_an_attachment_that_fails_fails_its_boot_as_such(obs: RecordedObservability, agent: Agent, reason: str) -> None:
    """Each way in which a volume cannot be attached is told apart here, and is ``volume_attach_failed`` for the instance."""
    assert agent.volumes
    attaching = agent.volumes.attaching(VOLUME, ATTACHMENT)
    with obs.operation(d.INSTANCE_BOOT)(instance_id=INSTANCE, boot_id=BOOT) as boot, attaching:
        raise Failed(reason)
    assert counted(obs, v.AGENT_VOLUME_ATTACH.name) == {("failure", reason): 1.0}
    assert boot.reason == "volume_attach_failed"
    [line] = obs.events("volume.attach_failed")
    assert (line["reason"], line["volume_id"], line["attachment_id"]) == (reason, VOLUME, ATTACHMENT)
    assert obs.events("volume.attached") == []


# --- snapshots and restores (EXT-08) --------------------------------------------------------------


def test_a_snapshot_is_counted_and_timed_in_the_trace_that_asked_for_it(
    obs: RecordedObservability, agent: Agent, clock: FixedClock
) -> None:
    """A good one is a success with its seconds, a bad one a failure whose line tells the reason without its detail."""
    assert agent.snapshots
    with agent.snapshots.taking(SNAPSHOT, volume_id=VOLUME, under=TRACEPARENT):
        clock.advance(2.0)
    with suppress(Failed), agent.snapshots.taking(SNAPSHOT, volume_id=VOLUME):
        raise Failed("preflight_failed:pool_low_space")
    assert counted(obs, v.AGENT_SNAPSHOTS.name) == {("success",): 1.0, ("failure",): 1.0}
    assert seconds(obs, v.AGENT_SNAPSHOT_DURATION, "success") == pytest.approx(2.0)
    good, bad = obs.spans()
    assert (good.name, f"{good.context.trace_id:032x}", bad.status.is_ok) == ("agent.snapshot", TRACE, False)
    [taken], [failed] = obs.events("snapshot.taken"), obs.events("snapshot.failed")
    assert (taken["snapshot_id"], taken["volume_id"], taken["duration_seconds"]) == (SNAPSHOT, VOLUME, 2.0)
    assert (failed["snapshot_id"], failed["reason"]) == (SNAPSHOT, "preflight_failed")
    assert "pool_low_space" in failed["error_message"]


def test_a_restore_is_counted_by_why_it_failed(obs: RecordedObservability, agent: Agent, clock: FixedClock) -> None:
    """Each of the fourteen reasons counts apart; what is none of them is ``internal_error``; a good one has its seconds."""
    assert agent.snapshots
    where = {"snapshot_id": SNAPSHOT, "volume_id": VOLUME}
    with agent.snapshots.restoring(RESTORE, **where, under=TRACEPARENT):
        clock.advance(600.0)
    for reason in (*t.RESTORE_REASONS.values, "who knows"):
        with suppress(Failed), agent.snapshots.restoring(RESTORE, **where):
            raise Failed(reason)
    assert len(t.RESTORE_REASONS.values) == 14
    expected = {("failure", reason): 1.0 for reason in t.RESTORE_REASONS.values}
    assert counted(obs, v.AGENT_RESTORES.name) == {**expected, ("success", "none"): 1.0, ("failure", "internal_error"): 2.0}
    assert seconds(obs, v.AGENT_RESTORE_DURATION, "success") == pytest.approx(600.0)
    good = obs.spans()[0]
    assert (good.name, f"{good.context.trace_id:032x}") == ("agent.restore", TRACE)
    [done], failed = obs.events("restore.finished"), obs.events("restore.failed")
    assert {(line["restore_id"], line["snapshot_id"], line["volume_id"]) for line in [done, *failed]} == {
        (RESTORE, SNAPSHOT, VOLUME)
    }
    assert [line["reason"] for line in failed] == [*t.RESTORE_REASONS.values, "internal_error"]


def test_work_that_is_cut_short_is_no_failure(obs: RecordedObservability, agent: Agent) -> None:
    """An agent that stops in the middle of a restore neither made nor failed it; the next agent will tell."""
    assert agent.snapshots
    with pytest.raises(asyncio.CancelledError), agent.snapshots.restoring(RESTORE, snapshot_id=SNAPSHOT, volume_id=VOLUME):
        raise asyncio.CancelledError
    assert counted(obs, v.AGENT_RESTORES.name) == {}
    assert [*obs.events("restore.finished"), *obs.events("restore.failed")] == []


# --- actors (EXT-06) ------------------------------------------------------------------------------


def test_mailboxes_are_read_at_each_scrape_by_kind(obs: RecordedObservability, agent: Agent) -> None:
    """An empty mailbox shows as 0, and a kind of actor that the host does not have not at all."""
    assert agent.actors
    assert obs.sample(a.AGENT_ACTOR_MAILBOX_DEPTH, kind="instance") == 3.0
    assert obs.sample(a.AGENT_ACTOR_MAILBOX_DEPTH, kind="image_pull") == 0.0
    assert obs.sample(a.AGENT_ACTOR_MAILBOX_DEPTH, kind="wireguard") is None


def test_an_actor_that_starts_again_is_counted_and_told_with_its_own_ids(obs: RecordedObservability, agent: Agent) -> None:
    """The kind is in the metric; which one it was, why and when it starts again is in the line. One given up is no restart."""
    assert agent.actors
    with obs.bind(instance_id=INSTANCE):
        agent.actors.restarted("instance", TimeoutError("no handshake"), attempt=2, backoff_seconds=0.2)
        agent.actors.degraded("instance", TimeoutError("no handshake"), attempt=5)
    assert counted(obs, a.AGENT_ACTOR_RESTARTS.name) == {("instance",): 1.0}
    [restarted], [degraded] = obs.events("actor.restarted"), obs.events("actor.degraded")
    assert (restarted["kind"], restarted["attempt"], restarted["backoff_seconds"]) == ("instance", 2, 0.2)
    assert (degraded["kind"], degraded["attempt"], degraded["error_class"]) == ("instance", 5, "timeout")
    assert restarted["instance_id"] == degraded["instance_id"] == INSTANCE


def test_a_mailbox_that_overflows_is_told_and_grows_quiet(obs: RecordedObservability, agent: Agent, clock: FixedClock) -> None:
    """Messages 1, 2, 4 and 8 that were given up are told, for each kind of its own; 10 s of quiet begin anew."""
    assert agent.actors
    for _ in range(9):
        clock.advance(9.0)
        agent.actors.dropped("wireguard")
    agent.actors.dropped("control_plane_stream")
    clock.advance(10.0)
    agent.actors.dropped("wireguard")
    told = [(line["kind"], line["count"], line["level"]) for line in obs.events("actor.mailbox_full")]
    assert told == [
        *(("wireguard", count, "warn") for count in (1, 2, 4, 8)),
        ("control_plane_stream", 1, "warn"),
        ("wireguard", 1, "warn"),
    ]
    assert counted(obs, a.AGENT_ACTOR_MESSAGES.name) == {
        ("wireguard", "dropped"): 10.0,
        ("control_plane_stream", "dropped"): 1.0,
    }


STEPS = st.lists(st.sampled_from(["send 1", "send 2", "send 3", "send 4", "bad", "handle"]), max_size=60)


def unaccounted(obs: RecordedObservability, mailbox: Mailbox, steps: list[str]) -> float:
    """How many of the messages sent are in no counter and do not wait either."""
    before = sum(series(obs, a.AGENT_ACTOR_MESSAGES.name).values())
    for step in steps:
        mailbox.step(step)
    return mailbox.sent - len(mailbox.waiting) - (sum(series(obs, a.AGENT_ACTOR_MESSAGES.name).values()) - before)


def test_every_message_sent_is_handled_failed_replaced_or_given_up(obs: RecordedObservability, agent: Agent) -> None:
    """Whatever is sent to an actor with a small mailbox: sent == handled + failed + coalesced + dropped + waiting."""
    actors = agent.actors
    assert actors

    @given(STEPS)
    @settings(max_examples=50, deadline=None, derandomize=True, database=None)
    def holds(steps: list[str]) -> None:
        assert unaccounted(obs, Mailbox(actors, "wireguard"), steps) == 0.0

    holds()
    assert {result for _, result in counted(obs, a.AGENT_ACTOR_MESSAGES.name)} == {
        "success",
        "failure",
        "coalesced",
        "dropped",
    }


def test_mutant_a_message_given_up_in_silence_is_found(
    obs: RecordedObservability, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a mailbox that does not say what it drops, the sum above no longer holds."""
    assert agent.actors
    monkeypatch.setattr(Actors, "dropped", lambda self, kind: None)
    sends = [f"send {number}" for number in range(CAPACITY + 2)]
    assert unaccounted(obs, Mailbox(agent.actors, "wireguard"), sends) == 2.0


def test_no_metric_of_an_actor_has_a_label_for_which_one() -> None:
    """Kind and result are all; five kinds, and the worst case of the three families is 42 series."""
    families: list[Family[Any]] = [a.AGENT_ACTOR_MAILBOX_DEPTH, a.AGENT_ACTOR_MESSAGES, a.AGENT_ACTOR_RESTARTS]
    assert [family.label_names for family in families] == [("kind",), ("kind", "result"), ("kind",)]
    budgets = {budget.family: budget.series for budget in PLATFORM.budget("agent")}
    assert sum(budgets[family.name] for family in families) == 42
