"""What the node itself has: image cache, volume pool, disks under pressure, and the overlay to other nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from obslib.catalog.platform import data_plane as s
from obslib.catalog.platform import resources as r
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib_agent import Agent, CacheTotals, ProbeTotals, VolumePool, WireGuard, disks, instrument

DUMP = (Path(__file__).parent / "recorded" / "wg_show_all_dump.txt").read_text()
HANDSHAKE_AT = 1_795_631_781
PEER, SILENT_PEER = "pzkEB6cfdiXJHsf5VOYKf1zRRmflV+ZRYQgrIY32QH8=", "QPCyrpArIlWsI3P2zdaCPhGvw4zBnrui5DMPwzEbqEY="


class PlainLauncher:
    """A launcher that starts processes."""

    kvm_device: str | None = None


@pytest.fixture
def clock() -> FixedClock:
    """Time that stands still, nine seconds after the recorded handshake."""
    return FixedClock(start=HANDSHAKE_AT + 9.0)


@pytest.fixture
def obs(clock: FixedClock) -> Iterator[RecordedObservability]:
    """An agent's observability, recorded."""
    with observability("agent", clock=clock) as recorded:
        yield recorded


def wired(obs: RecordedObservability, **drivers: Any) -> Agent:
    """The shim with the drivers a test gives."""
    return instrument(obs, **{"launcher": PlainLauncher(), "overlay": None, **drivers})


def exposition(obs: RecordedObservability) -> str:
    """Everything that is exposed now."""
    return obs.metrics.exposition("text/plain")[0].decode()


# --- image cache ----------------------------------------------------------------------------------


def test_the_image_cache_is_read_at_each_scrape(obs: RecordedObservability) -> None:
    """Bytes by kind, its limit, hits and misses, evictions by kind and reason (MET-AG-06 to MET-AG-08, MET-AG-13)."""
    wired(obs, image_cache=lambda: CacheTotals(
        bytes={"oci": 5, "rootdisks": 7}, limit_bytes=100, hits=3, misses=1, evictions={("oci", "gc"): 2},
    ))  # fmt: skip
    assert obs.sample(r.AGENT_IMAGE_CACHE, kind="rootdisks") == 7.0
    assert obs.sample(r.AGENT_IMAGE_CACHE_LIMIT) == 100.0
    assert obs.sample(r.AGENT_IMAGE_CACHE_REQUESTS, result="hit") == 3.0
    assert obs.sample(r.AGENT_IMAGE_CACHE_REQUESTS, result="miss") == 1.0
    assert obs.sample(r.AGENT_IMAGE_CACHE_EVICTIONS, kind="oci", reason="gc") == 2.0
    assert obs.sample(r.AGENT_IMAGE_CACHE_EVICTIONS, kind="tmp", reason="disk_pressure") == 0.0


def test_a_pull_and_its_conversion_are_spans_within_each_other(obs: RecordedObservability) -> None:
    """``agent.image_convert`` is a child of ``agent.image_pull``, and that of ``boot.image`` (TRC-08, TRC-09)."""
    agent = wired(obs)
    with agent.phases.image(), agent.images.pulling(), agent.images.converting():
        pass
    spans = {span.name: span for span in obs.spans()}
    assert set(spans) == {"boot.image", "agent.image_pull", "agent.image_convert"}
    for child, parent in (("agent.image_convert", "agent.image_pull"), ("agent.image_pull", "boot.image")):
        assert spans[child].parent is not None
        assert spans[child].parent.span_id == spans[parent].context.span_id


def test_what_a_host_does_not_have_is_absent_and_not_zero(obs: RecordedObservability) -> None:
    """Without cache, pool, overlay and probe none of their families is exposed."""
    wired(obs)
    names = ("agent_image_cache", "agent_volume_pool", "agent_overlay", "agent_disk_pressure")
    assert [line for line in exposition(obs).splitlines() if line.startswith(names)] == []


# --- pressure -------------------------------------------------------------------------------------

COURSE = (0.5, 0.89, 0.9, 0.95, 0.8, 0.71, 0.7, 0.8, 0.89, 0.9)
PRESSED = (0, 0, 1, 1, 1, 1, 0, 0, 0, 1)


def course(obs: RecordedObservability) -> tuple[float | None, ...]:
    """The pressure that is exposed while a volume pool fills and empties along ``COURSE``."""
    used = iter(COURSE)
    now = [0.0]
    wired(obs, volume_pool=lambda: VolumePool(size_bytes=1_000, used_bytes=round(now[0] * 1_000)))
    found = []
    for now[0] in used:
        found.append(obs.sample(r.AGENT_DISK_PRESSURE, kind="volume_pool"))
    return tuple(found)


def test_pressure_rises_at_nine_tenths_and_falls_at_seven(obs: RecordedObservability) -> None:
    """Between the marks the flag stays what it was (MET-AG-12, MET-AG-13)."""
    assert course(obs) == PRESSED
    assert obs.sample(r.AGENT_VOLUME_POOL_SIZE) == 1_000.0
    assert obs.sample(r.AGENT_VOLUME_POOL_USED) == 900.0


def test_mutant_pressure_without_hysteresis_is_found(obs: RecordedObservability, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one mark for both directions the course above comes out differently: the flag flaps."""
    monkeypatch.setattr(disks, "_LOW_WATER", 0.9)
    assert course(obs) != PRESSED


def test_a_cache_near_its_own_limit_is_under_pressure_on_an_empty_disk(obs: RecordedObservability, tmp_path: Path) -> None:
    """The image cache is judged by its limit and by its file system, whichever is fuller (MET-AG-13)."""
    full = CacheTotals(bytes={"oci": 60, "rootdisks": 31}, limit_bytes=100)
    wired(obs, image_cache=lambda: full, disks=(disks.Disk(kind="image_cache", path=tmp_path),))
    assert obs.sample(r.AGENT_DISK_PRESSURE, kind="image_cache") == 1.0
    size, free = obs.sample(s.AGENT_DISK_SIZE, kind="image_cache"), obs.sample(s.AGENT_DISK_FREE, kind="image_cache")
    assert (size or 0) > (free or 0) > 0


# --- overlay --------------------------------------------------------------------------------------


def peers(obs: RecordedObservability) -> dict[str, float | None]:
    """Peers by state, as exposed."""
    states = ("configured", "fresh", "stale", "never")
    return {state: obs.sample(r.AGENT_OVERLAY_PEERS, state=state) for state in states}


def test_peers_are_fresh_until_three_minutes_after_a_handshake(obs: RecordedObservability, clock: FixedClock) -> None:
    """Recorded with one peer that answers and one that never did; 180 s is fresh, a moment later is stale (MET-AG-14)."""
    overlay = WireGuard(lambda: DUMP, clock)
    agent = wired(obs, overlay=overlay)
    assert overlay.handshake_ages() == {PEER: 9.0, SILENT_PEER: None}
    assert peers(obs) == {"configured": 2.0, "fresh": 1.0, "stale": 0.0, "never": 1.0}
    clock.advance(171)
    assert obs.health.run_now().checks["overlay_up"].verdict.status.value == "ok"
    assert peers(obs)["fresh"] == 1.0
    clock.advance(0.5)
    assert peers(obs) == {"configured": 2.0, "fresh": 0.0, "stale": 1.0, "never": 1.0}
    assert obs.sample(r.AGENT_OVERLAY_HANDSHAKE_AGE_MAX) == 180.5
    assert agent.overlay is not None
    agent.overlay.scanned()
    agent.overlay.scanned()
    assert obs.sample("agent_overlay_handshake_age_seconds_count") == 2.0
    assert obs.sample("agent_overlay_handshake_age_seconds_bucket", le="300.0") == 2.0
    assert obs.sample("agent_overlay_handshake_age_seconds_bucket", le="180.0") == 0.0


def test_an_interface_that_is_gone_has_no_peers_to_tell_of(obs: RecordedObservability, clock: FixedClock) -> None:
    """Without ``wg0`` the gauges are absent, and a clock that was set back makes no age negative."""
    gone = WireGuard(lambda: DUMP.replace("wg0", "wg1"), clock)
    wired(obs, overlay=gone)
    assert gone.handshake_ages() is None
    assert set(peers(obs).values()) == {None}
    assert obs.sample(r.AGENT_OVERLAY_HANDSHAKE_AGE_MAX) is None
    early = WireGuard(lambda: DUMP, FixedClock(start=HANDSHAKE_AT - 3_600.0))
    assert early.handshake_ages() == {PEER: 0.0, SILENT_PEER: None}


def test_keys_stay_in_the_dump(obs: RecordedObservability, clock: FixedClock) -> None:
    """Private and preshared keys are in nothing that leaves the reader, not even in its complaint about a broken line."""
    overlay = WireGuard(lambda: DUMP, clock)
    wired(obs, overlay=overlay)
    told = [repr(overlay.handshake_ages()), exposition(obs)]
    with pytest.raises(ValueError, match="a line has neither 5 nor 9 fields") as refused:
        WireGuard(lambda: "wg0\tPRIVATEKEY\n", clock).handshake_ages()
    told.append(str(refused.value))
    assert [text for text in told if "PRIVATEKEY" in text or "PRESHAREDKEY" in text] == []


def test_packet_loss_is_told_only_where_a_probe_runs(obs: RecordedObservability, clock: FixedClock) -> None:
    """With a probe there are packets and the worst peer's loss; before its first round the loss is absent (MET-AG-15)."""
    totals = [ProbeTotals(sent=0, lost=0), ProbeTotals(sent=40, lost=4, max_loss_ratio=0.2)]
    wired(obs, overlay=WireGuard(lambda: DUMP, clock), overlay_probe=lambda: totals[0])
    assert obs.sample(r.AGENT_OVERLAY_PACKET_LOSS) is None
    totals.pop(0)
    assert obs.sample(r.AGENT_OVERLAY_PACKET_LOSS) == 0.2
    assert obs.sample(r.AGENT_OVERLAY_PROBE_PACKETS, result="lost") == 4.0
    assert obs.sample(r.AGENT_OVERLAY_PROBE_PACKETS, result="sent") == 40.0
