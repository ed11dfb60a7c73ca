"""Nodes are declared gone when they are silent, and not when it is the listener who was away."""

from dataclasses import replace

from miniplatform.scheduler.silence import NodeChange, Silence, is_placeable
from miniplatform.scheduler.world import Node

AFTER_S = 5.0


def node(name: str, silent_s: float | None = 0.0, *, state: str = "active", kind: str = "agent") -> Node:
    """A node silent for ``silent_s``."""
    return Node(node_id=name, kind=kind, state=state, memory_bytes=1, silent_s=silent_s)


def settled() -> Silence:
    """One that has heard everybody for long enough to judge."""
    silence = Silence(silent_after_s=AFTER_S)
    assert silence.changes([node("a"), node("b")], now=0.0) == []
    return silence


def test_a_silent_node_goes_offline_and_comes_back() -> None:
    """One change each way, with its reason."""
    silence = settled()
    gone = silence.changes([node("a"), node("b", 5.1)], now=10.0)
    assert gone == [NodeChange(node_id="b", state="offline", reason="heartbeat_missing")]
    assert silence.changes([node("a"), node("b", 6.0, state="offline")], now=11.0) == []
    back = silence.changes([node("a"), node("b", 0.1, state="offline")], now=12.0)
    assert back == [NodeChange(node_id="b", state="active", reason="heartbeat_resumed")]


def test_when_everybody_is_silent_nobody_is_gone() -> None:
    """An hour without the control plane moves no instance, and neither does the moment it comes back."""
    silence = settled()
    assert silence.changes([node("a", 3600), node("b", 3600)], now=3600.0) == []
    assert silence.changes([node("a", 0.1), node("b", 3601)], now=3601.0) == []
    assert silence.changes([node("a", 0.1), node("b", 0.1)], now=3602.0) == []


def test_the_first_to_look_silent_in_an_outage_is_not_gone() -> None:
    """Nodes report at different moments, so one always crosses the line first; the others are not heard either."""
    silence = settled()
    assert silence.changes([node("a", 4.2), node("b", 5.1)], now=10.0) == []
    assert silence.changes([node("a", 2.4), node("b", 5.1)], now=20.0) == [
        NodeChange(node_id="b", state="offline", reason="heartbeat_missing")
    ]


def test_who_stays_silent_after_an_outage_is_gone_after_the_usual_time() -> None:
    """The benefit of the doubt ends."""
    silence = settled()
    assert silence.changes([node("a", 3600), node("b", 3600)], now=3600.0) == []
    late = [node("a", 0.1), node("b", 3605)]
    assert silence.changes(late, now=3604.0) == []
    assert [change.node_id for change in silence.changes(late, now=3605.0)] == ["b"]


def test_a_scheduler_that_starts_waits_before_it_judges() -> None:
    """What it sees first may be the end of an outage it knows nothing of."""
    silence = Silence(silent_after_s=AFTER_S)
    assert silence.changes([node("a"), node("b", 60.0)], now=100.0) == []
    assert [change.node_id for change in silence.changes([node("a"), node("b", 65.0)], now=105.0)] == ["b"]


def test_an_only_node_can_be_gone() -> None:
    """With nobody to compare it with, silence means gone."""
    silence = Silence(silent_after_s=AFTER_S)
    silence.changes([node("a")], now=0.0)
    assert [change.state for change in silence.changes([node("a", 5.1)], now=10.0)] == ["offline"]


def test_a_node_that_never_reported_is_no_change_and_no_place() -> None:
    """Enrolled is not alive."""
    silence = settled()
    assert silence.changes([node("a"), node("new", None)], now=60.0) == []
    assert not is_placeable(node("new", None), silent_after_s=AFTER_S)


def test_only_active_reporting_agents_take_instances() -> None:
    """Edges, offline and draining nodes, and silent ones do not."""
    good = node("a", 5.0)
    bad = [replace(good, kind="edge"), replace(good, state="offline"), replace(good, state="draining"), node("a", 5.1)]
    assert [is_placeable(n, silent_after_s=AFTER_S) for n in (good, *bad)] == [True, False, False, False, False]
