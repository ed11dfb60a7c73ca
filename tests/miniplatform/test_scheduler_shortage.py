"""How long a group has lacked instances: since its wish, or since one was lost."""

from __future__ import annotations

from miniplatform.scheduler.shortage import Shortage
from miniplatform.scheduler.world import GroupKey

WEB = GroupKey(env_id="env_1", process_type="web")
WORKER = GroupKey(env_id="env_1", process_type="worker")


def test_a_new_wish_counts_from_when_it_was_made() -> None:
    """However many passes it takes until there is room."""
    shortage = Shortage()
    shortage.look({}, now=100.0)
    shortage.look({WEB: 103.0}, now=105.0)
    assert shortage.seconds(WEB) == 2.0
    shortage.look({WEB: 103.0}, now=130.0)
    assert shortage.seconds(WEB) == 27.0
    assert shortage.seconds(WORKER) == 0.0


def test_a_lost_instance_counts_from_when_it_was_missed() -> None:
    """Not from the wish of long ago; and a group that had its fill in between begins anew."""
    shortage = Shortage()
    shortage.look({WEB: 90.0}, now=100.0)
    assert shortage.seconds(WEB) == 0.0, "a scheduler that has just started knows of no earlier need"
    shortage.look({}, now=105.0)
    shortage.look({WEB: 90.0}, now=500.0)
    shortage.look({WEB: 90.0}, now=504.0)
    assert shortage.seconds(WEB) == 4.0
