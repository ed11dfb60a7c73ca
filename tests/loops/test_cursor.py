"""How far a consumer has read, and how far behind that is."""

from __future__ import annotations

import pytest

from obslib.catalog.common import TELEMETRY_GUARD_ERRORS
from obslib.guard import Guard
from obslib.loops import CursorPosition
from obslib.tally import Tally
from obslib.testing import FixedClock


def test_it_moves_forward_only_unless_restored():
    """A late or repeated event does not move it back; a restore does. Each step forward is announced."""
    moves = []
    cursor = CursorPosition(FixedClock(), lambda: moves.append(1))
    assert cursor.position == 0
    assert [cursor.advance(n) for n in (5, 5, 3, 6)] == [True, False, False, True]
    assert (cursor.position, len(moves)) == (6, 2)
    cursor.restore(2)
    assert cursor.position == 2


def test_nothing_known_is_absent_not_zero():
    """Gauges stay away until there is a position."""
    cursor = CursorPosition(FixedClock())
    cursor.head(9)
    assert (cursor.known_position(), cursor.lag_events(), cursor.lag_seconds()) == (None, None, None)


def test_lag_counts_from_when_it_last_stood_at_the_head():
    """Lag in seconds grows while behind and is 0 when caught up, however long nothing happened."""
    clock = FixedClock()
    cursor = CursorPosition(clock)
    cursor.restore(10)
    clock.advance(100)
    assert (cursor.lag_events(), cursor.lag_seconds()) == (0, 0)
    cursor.head(13)
    clock.advance(4)
    assert (cursor.lag_events(), cursor.lag_seconds()) == (3, 4)
    cursor.advance(12)
    cursor.head(11)
    clock.advance(2)
    assert (cursor.lag_events(), cursor.lag_seconds()) == (1, 6)
    cursor.advance(20)
    assert (cursor.lag_events(), cursor.lag_seconds()) == (0, 0)


def test_a_clock_that_steps_cannot_make_it_negative():
    """Only monotonic time counts."""
    clock = FixedClock()
    cursor = CursorPosition(clock)
    cursor.restore(1)
    cursor.head(2)
    clock.step(-3600)
    assert cursor.lag_seconds() == 0


@pytest.mark.parametrize("event_id", ["7", None, 7.5, object(), []])
def test_what_is_no_event_id_is_ignored_and_counted(event_id):
    """Nothing said to a cursor raises, moves it, or spoils its gauges."""
    moves, tally = [], Tally()
    cursor = CursorPosition(FixedClock(), lambda: moves.append(1), guard=Guard(tally))
    cursor.restore(3)
    cursor.head(5)
    assert cursor.advance(event_id) is False
    cursor.head(event_id)
    cursor.restore(event_id)
    assert (cursor.position, cursor.lag_events(), moves) == (3, 2, [])
    assert tally.cell(TELEMETRY_GUARD_ERRORS, kind="loops").total == 3
