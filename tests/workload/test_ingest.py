"""What a node sends is stamped by the control plane, kept before it is acknowledged, or refused by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from obslib.errors import StoreUnavailable
from obslib.testing import FixedClock
from obslib.wire import LogAck, LogBatch, LogGap
from obslib.workload import Appended, Ingest, LogStore, Selection, Stamp, StampedEntry
from tests.workload.scene import Readers, entry, stamp

HOSTED = {"inst_1": stamp(1), "inst_2": stamp(2), "inst_far": replace(stamp(1), node_id="node_2")}


class Heard:
    """What the ingest tells of."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.duplicates = 0
        self.refused: list[tuple[str, Sequence[str], int]] = []

    def kept(self, delays_s: Sequence[float], duplicates: int) -> None:
        """Remember it."""
        self.delays += delays_s
        self.duplicates += duplicates

    def rejected(self, node_id: str, instance_ids: Sequence[str], entries: int) -> None:
        """Remember it."""
        self.refused.append((node_id, instance_ids, entries))


async def resolve(instance_ids: Collection[str]) -> Mapping[str, Stamp]:
    """The control plane's view."""
    return {name: HOSTED[name] for name in instance_ids if name in HOSTED}


@pytest.fixture
def heard() -> Heard:
    """What was told."""
    return Heard()


@pytest.fixture
def ingest(store: LogStore, clock: FixedClock, heard: Heard) -> Ingest:
    """The way in."""
    return Ingest(store, resolve=resolve, clock=clock, watch=heard)


async def test_a_batch_goes_to_the_orgs_it_belongs_to(ingest: Ingest, store: LogStore, readers: Readers, heard: Heard) -> None:
    """Each entry with the stamp of its instance; delays are those of new lines, never below 0, and of no gap."""
    gap = entry(2, gap=LogGap(reason="rate_limited", lines=2), at=3_599)
    batch = LogBatch(entries=(entry(1, "one", at=3_590), gap, entry(1, "two", at=9_999, instance="inst_2")))
    assert await ingest.accept("node_1", batch) == LogAck(stored=3)
    assert await ingest.accept("node_1", batch) == LogAck(stored=0, duplicates=3)
    for number in (1, 2):
        page = await store.query(await readers.of(number), Selection(env_id=f"env_{number}_prod"))
        assert {found.stamp for found in page.entries} == {stamp(number)}
    assert (sorted(heard.delays), heard.duplicates) == ([0.0, 10.0], 3)


async def test_instances_of_other_nodes_are_refused_by_name(
    ingest: Ingest, store: LogStore, readers: Readers, heard: Heard
) -> None:
    """Unknown, or placed elsewhere: counted, named once each, kept nowhere; the rest of the batch is kept."""
    forged = entry(1, "forged", instance="inst_far")
    batch = LogBatch(entries=(forged, entry(1, "mine"), entry(2, instance="inst_far"), entry(1, instance="inst_none")))
    assert await ingest.accept("node_1", batch) == LogAck(stored=1, rejected=("inst_far", "inst_none"))
    assert heard.refused == [("node_1", ("inst_far", "inst_none"), 3)]
    page = await store.query(await readers.of(1), Selection(env_id="env_1_prod"))
    assert [found.entry.line for found in page.entries] == [b"mine"]


async def test_mutant_that_trusts_the_node_is_caught(
    store: LogStore, readers: Readers, clock: FixedClock, heard: Heard
) -> None:
    """A resolver that takes every instance for one of the sender's lets the forged line in, which the test above sees."""

    async def trusting(instance_ids: Collection[str]) -> Mapping[str, Stamp]:
        return {name: replace(found, node_id="node_1") for name, found in (await resolve(instance_ids)).items()}

    ingest = Ingest(store, resolve=trusting, clock=clock, watch=heard)
    await ingest.accept("node_1", LogBatch(entries=(entry(1, "forged", instance="inst_far"),)))
    page = await store.query(await readers.of(1), Selection(env_id="env_1_prod"))
    assert [found.entry.line for found in page.entries] == [b"forged"]


async def test_what_could_not_be_kept_is_not_acknowledged(
    store: LogStore, clock: FixedClock, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When one org's store fails the node hears so and sends the batch again; what was kept of it then is a duplicate."""
    honest, failing = type(store).append, [True]

    async def append(self: LogStore, org_id: str, entries: Sequence[StampedEntry]) -> Appended:
        if failing and entries[0].stamp == stamp(2):
            raise StoreUnavailable("no space")
        return await honest(self, org_id, entries)

    monkeypatch.setattr(type(store), "append", append)
    ingest = Ingest(store, resolve=resolve, clock=clock, watch=heard)
    batch = LogBatch(entries=(entry(1), entry(1, instance="inst_2")))
    with pytest.raises(StoreUnavailable):
        await ingest.accept("node_1", batch)
    failing.clear()
    assert await ingest.accept("node_1", batch) == LogAck(stored=1, duplicates=1)
