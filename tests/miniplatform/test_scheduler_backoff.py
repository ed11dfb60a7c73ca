"""Groups wait calmly, and no longer than their circumstances last."""

from miniplatform.scheduler.backoff import Backoff
from miniplatform.scheduler.world import GroupKey

KEY = GroupKey(env_id="env_1", process_type="web")


def put_aside(backoff: Backoff, reason: str, now: float, circumstances: object = "full") -> tuple[int, float]:
    """Attempt and pause of one more failure."""
    waiting = backoff.put_aside(KEY, reason, "", circumstances, now=now, lacks_room=True)  # type: ignore[arg-type]
    return waiting.attempt, waiting.pause_s


def test_pauses_double_up_to_the_cap() -> None:
    """One attempt per 30 seconds at the end, and a new reason starts over."""
    backoff = Backoff(base_s=10.0, cap_s=30.0)
    assert [put_aside(backoff, "no_capacity_memory", 0.0) for _ in range(4)] == [(1, 10.0), (2, 20.0), (3, 30.0), (4, 30.0)]
    assert put_aside(backoff, "no_nodes_active", 0.0) == (1, 10.0)


def test_a_group_waits_until_its_time_or_a_change() -> None:
    """Other nodes may give another answer, so they are asked at once."""
    backoff = Backoff(base_s=10.0, cap_s=30.0)
    put_aside(backoff, "no_capacity_memory", 0.0)
    assert backoff.waiting(KEY, "full", now=9.9) is not None
    assert backoff.waiting(KEY, "full", now=10.0) is None
    assert backoff.waiting(KEY, "a node came", now=1.0) is None


def test_a_group_that_failed_waits_whatever_changes() -> None:
    """Another node does not mend what broke."""
    backoff = Backoff(base_s=10.0, cap_s=30.0)
    backoff.put_aside(KEY, "internal", "", "full", now=0.0, lacks_room=False)
    assert backoff.waiting(KEY, "a node came", now=1.0) is not None


def test_what_was_helped_or_is_gone_is_forgotten() -> None:
    """The number of waiting groups is that of groups that wait."""
    backoff = Backoff(base_s=10.0, cap_s=30.0)
    put_aside(backoff, "no_capacity_memory", 0.0)
    assert len(backoff) == 1
    backoff.keep_only([])
    assert len(backoff) == 0
    put_aside(backoff, "no_capacity_memory", 0.0)
    backoff.clear(KEY)
    assert backoff.items() == []
