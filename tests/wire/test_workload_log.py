"""Lines of workloads cross the wire unchanged, whatever bytes they hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from obslib.wire import LogBatch, LogEntry, LogGap

WHERE = {"instance_id": "inst_1", "boot_id": "boot_1", "ts": "2026-01-31T09:30:00Z", "stream": "stdout"}


@given(line=st.binary(max_size=200))
def test_any_bytes_come_back_as_they_were(line: bytes) -> None:
    """Escapes, NULs and broken UTF-8 survive JSON."""
    batch = LogBatch(entries=(LogEntry(seq=1, line=line, **WHERE),))
    assert LogBatch.model_validate_json(batch.model_dump_json()) == batch


def test_a_gap_takes_the_numbers_of_the_lines_it_stands_for() -> None:
    """What follows a gap of three lines at 5 is number 8."""
    assert LogEntry(seq=5, gap=LogGap(reason="buffer_full", lines=3), **WHERE).last_seq == 7
    assert LogEntry(seq=5, **WHERE).last_seq == 5


@pytest.mark.parametrize(
    "wrong", [{"seq": 0}, {"seq": 1, "stream": "stdin"}, {"seq": 1, "gap": {"reason": "tired", "lines": 1}}]
)
def test_what_is_no_entry_is_refused(wrong: dict[str, object]) -> None:
    """Numbers start at 1, streams and reasons are closed sets."""
    with pytest.raises(ValidationError):
        LogEntry.model_validate({**WHERE, **wrong})


def test_a_batch_has_a_bound() -> None:
    """501 entries are one too many."""
    with pytest.raises(ValidationError):
        LogBatch(entries=tuple(LogEntry(seq=n + 1, **WHERE) for n in range(501)))
