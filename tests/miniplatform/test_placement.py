"""Where instances go: memory is never overbooked, and the same nodes give the same answer."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniplatform.scheduler import placement
from miniplatform.scheduler.placement import OVERHEAD_BYTES, Refused, Rooms
from miniplatform.scheduler.world import GroupKey, Instance, Node

MIB = 2**20


def node(name: str, *, mib: int = 1024) -> Node:
    """An active agent."""
    return Node(node_id=name, kind="agent", state="active", memory_bytes=mib * MIB, silent_s=0.0)


def instance(name: str, on: str, *, mib: int = 128, desired: str = "running", status: str = "ready") -> Instance:
    """An instance on a node."""
    return Instance(
        instance_id=name, key=GroupKey(env_id="env_1", process_type="web"), org_id="org_1", app_id="app_1",
        deploy_id="dep_1", node_id=on, spec_hash="h", memory_bytes=mib * MIB, desired_state=desired, desired_reason="",
        created_at=0.0, changed_at=0.0, status=status, is_final=False, traceparent="",
    )  # fmt: skip


def test_without_nodes_nothing_is_placed() -> None:
    """With no active node the reason is no_nodes_active, not a lack of memory."""
    refused = Rooms([], []).place(MIB)
    assert isinstance(refused, Refused)
    assert refused.reason == "no_nodes_active"


def test_memory_is_a_hard_limit_with_overhead() -> None:
    """A cap fits when cap and overhead fit, and not with one byte more."""
    rooms = Rooms([node("node_a", mib=192)], [])
    assert rooms.place(128 * MIB) == "node_a"
    refused = rooms.place(128 * MIB + 1)
    assert refused == Refused(
        reason="no_capacity_memory",
        detail="needs 201326593 bytes with overhead; the roomiest of 1 active nodes has 201326592",
    )


def test_the_least_loaded_node_wins_and_ties_go_by_id() -> None:
    """Load is the share of memory in use; equal shares go to the smaller id."""
    rooms = Rooms([node("node_b"), node("node_a"), node("node_c", mib=4096)], [instance("i", "node_c")])
    assert [_take(rooms) for _ in range(4)] == ["node_a", "node_b", "node_c", "node_c"]


@pytest.mark.parametrize(
    ("desired", "status", "holds"),
    [
        ("running", "", True), ("running", "ready", True), ("draining", "ready", True), ("stopped", "ready", True),
        ("stopped", "draining", True), ("stopped", "stopped", False), ("stopped", "", False), ("stopped", "failed", False),
        ("running", "failed", True),
    ],
)  # fmt: skip
def test_memory_is_held_until_the_instance_is_known_to_be_gone(desired: str, status: str, holds: bool) -> None:
    """A stop that was only ordered frees nothing yet."""
    assert instance("i", "n", desired=desired, status=status).holds_memory is holds


@given(
    sizes=st.lists(st.integers(64, 4096), max_size=6),
    caps=st.lists(st.integers(1, 1024), max_size=40),
)
def test_no_node_is_ever_overbooked(sizes: list[int], caps: list[int]) -> None:
    """Whatever is placed in whatever order, cap and overhead of all instances on a node fit into it."""
    assert not _overbooked(sizes, caps)


def test_overbooking_is_noticed_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A placement that forgets the overhead is caught by the property above."""
    monkeypatch.setattr(placement, "OVERHEAD_BYTES", 0)
    assert _overbooked([256], [128, 128])


def test_a_hundred_instances_are_placed_within_100_ms() -> None:
    """The platform's acceptance figure for placement."""
    rooms = Rooms([node(f"node_{n:02}", mib=8192) for n in range(20)], [])
    begun = time.perf_counter()
    placed = [_take(rooms) for _ in range(100)]
    assert len(placed) == 100
    assert time.perf_counter() - begun < 0.1


def _take(rooms: Rooms, cap_bytes: int = 128 * MIB) -> str:
    where = rooms.place(cap_bytes)
    assert isinstance(where, str)
    rooms.take(where, cap_bytes)
    return where


def _overbooked(sizes: list[int], caps: list[int]) -> list[str]:
    nodes = [node(f"node_{n}", mib=size) for n, size in enumerate(sizes)]
    rooms = Rooms(nodes, [])
    used = {n.node_id: 0 for n in nodes}
    for cap in caps:
        where = rooms.place(cap * MIB)
        if isinstance(where, str):
            rooms.take(where, cap * MIB)
            used[where] += cap * MIB + OVERHEAD_BYTES
    return [n.node_id for n in nodes if used[n.node_id] > n.memory_bytes]
