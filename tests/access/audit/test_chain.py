"""The hash chain: whatever is done to a chain of records is found."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from obslib.access import GENESIS, Breach, ChainWalk, Link, digest, verify
from obslib.access.audit import chain as chain_module
from obslib.testing import MemoryAudit
from tests.access.audit.records import OURS, THEIRS, a_record

Tampering = Callable[[list[Link], int], Sequence[Link]]


def chain_of(length: int, org_id: str = OURS) -> list[Link]:
    """A whole chain."""
    trail = MemoryAudit()

    async def fill() -> None:
        for n in range(length):
            await trail.append(a_record(n, org_id=org_id), await trail.head(org_id))

    asyncio.run(fill())
    return trail.chains[org_id]


def _changed(links: list[Link], at: int) -> list[Link]:
    links[at] = replace(links[at], record=replace(links[at].record, actor_id="somebody else"))
    return links


def _changed_with_its_hash(links: list[Link], at: int) -> list[Link]:
    record = replace(links[at].record, decision="deny")
    links[at] = replace(links[at], record=record, hash=digest(links[at].previous, record))
    return links


def _removed(links: list[Link], at: int) -> list[Link]:
    return [*links[:at], *links[at + 1 :]]


def _removed_and_renumbered(links: list[Link], at: int) -> list[Link]:
    return [*links[:at], *(replace(link, seq=link.seq - 1) for link in links[at + 1 :])]


def _swapped(links: list[Link], at: int) -> list[Link]:
    links[at], links[at + 1] = links[at + 1], links[at]
    return links


def _swapped_and_renumbered(links: list[Link], at: int) -> list[Link]:
    links[at], links[at + 1] = replace(links[at + 1], seq=at + 1), replace(links[at], seq=at + 2)
    return links


def _foreign(links: list[Link], at: int) -> list[Link]:
    links[at] = chain_of(at + 1, THEIRS)[at]
    return links


def _repeated(links: list[Link], at: int) -> list[Link]:
    return [*links[: at + 1], links[at], *links[at + 1 :]]


TAMPERINGS: tuple[Tampering, ...] = (
    _changed, _changed_with_its_hash, _removed, _removed_and_renumbered, _swapped, _swapped_and_renumbered, _foreign, _repeated,
)  # fmt: skip


def undetected(tries: int = 3) -> set[str]:
    """The kinds of tampering that ``verify`` misses somewhere in a chain. Should be empty."""
    chance, missed = random.Random(3), set()
    for tampering in TAMPERINGS:
        for _ in range(tries):
            if verify(tampering(list(chain_of(9)), chance.randint(1, 7))) is None:
                missed.add(tampering.__name__)
    return missed


def test_a_whole_chain_is_whole() -> None:
    """What was appended in turn verifies, the empty chain too, and ends at its head."""
    links = chain_of(9)
    assert verify(links, head=links[-1].hash) is None
    assert verify([], head=GENESIS) is None


def test_no_tampering_goes_unseen() -> None:
    """Changing, removing, moving, repeating or importing a record is found wherever it is done."""
    assert undetected() == set()


def test_the_breach_names_its_place_and_kind() -> None:
    """Whoever looks into it knows where to start."""
    assert verify(_changed(chain_of(5), 2)) == Breach(seq=3, kind="changed")
    assert verify(_removed(chain_of(5), 2)) == Breach(seq=3, kind="removed")
    assert verify(_swapped(chain_of(5), 2)) == Breach(seq=3, kind="removed")
    assert verify(_foreign(chain_of(5), 2)) == Breach(seq=3, kind="foreign")
    assert verify(_repeated(chain_of(5), 2)) == Breach(seq=4, kind="reordered")


def test_a_cut_tail_is_found_by_a_head_noted_elsewhere() -> None:
    """A chain cannot show what was cut off its end; its head can."""
    links = chain_of(5)
    assert verify(links[:-1]) is None
    assert verify(links[:-1], head=links[-1].hash) == Breach(seq=5, kind="cut_off")
    assert verify([], head=links[-1].hash) == Breach(seq=1, kind="cut_off")
    assert verify(links, head=links[2].hash) is None, "a head noted earlier is passed, and records came after it"


def test_mutant_that_hashes_without_the_record_before_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the chain a record of good hash could stand anywhere; the search above says so."""
    monkeypatch.setattr(ChainWalk, "_judge", _judge_alone)
    assert "_changed_with_its_hash" in undetected()


def test_mutant_that_does_not_hash_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that compares links only misses a changed record."""
    monkeypatch.setattr(chain_module, "digest", lambda previous, record: links_by_record[record.event_id].hash)
    links_by_record = {link.record.event_id: link for link in chain_of(9)}
    assert verify(_changed(chain_of(9), 2)) is None


def _judge_alone(self: ChainWalk, link: Link) -> str | None:
    if link.record.org_id != self._org_id:
        return "foreign"
    if link.seq != self.seq + 1:
        return "removed"
    return None if link.hash == digest(link.previous, link.record) else "changed"
