"""The same lines come out however a stream is cut into chunks, and every one keeps to the limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obslib.wire.workload_log import MAX_LINE_BYTES
from obslib.workload.node import Bounds, lines
from obslib.workload.node.lines import Line, cut, find_lines
from obslib.workload.node.rate import Allowance


@given(st.integers(0, 3), st.sampled_from("aé€😀"), st.integers(MAX_LINE_BYTES // 4 - 2, MAX_LINE_BYTES))
def test_a_long_line_is_cut_on_a_character_edge_within_the_limit(shift: int, character: str, count: int) -> None:
    """Bytes are counted, the ellipsis among them, and what is left is still UTF-8."""
    text = "-" * shift + character * count
    raw = text.encode()
    kept = cut(raw)
    assert kept.is_cut == (len(raw) > MAX_LINE_BYTES)
    if kept.is_cut:
        assert MAX_LINE_BYTES - 3 <= len(kept.text) <= MAX_LINE_BYTES
        assert kept.text.decode().endswith("…")
        assert text.startswith(kept.text.decode()[:-1])
    else:
        assert kept.text == raw


@pytest.mark.parametrize("raw", [b"\x80" * (MAX_LINE_BYTES + 1), b"\xff" * (MAX_LINE_BYTES + 1), b"\0" * (MAX_LINE_BYTES + 1)])
def test_what_is_no_text_is_cut_at_the_limit(raw: bytes) -> None:
    """Broken UTF-8 has no edges to look for."""
    assert cut(raw) == Line(text=raw[: MAX_LINE_BYTES - 3] + "…".encode(), is_cut=True)


@pytest.mark.parametrize(
    ("length", "is_cut"), [(MAX_LINE_BYTES - 1, False), (MAX_LINE_BYTES, False), (MAX_LINE_BYTES + 1, True)]
)
def test_the_limit_itself_is_allowed(length: int, is_cut: bool) -> None:
    """One byte less, exactly, one more."""
    assert cut(b"x" * length).is_cut is is_cut


def read(pieces: list[bytes]) -> list[Line]:
    """Read ``pieces`` as they arrive, as a capture does: what is not consumed is read again with what follows."""
    kept: list[Line] = []
    left, is_skipping = b"", False
    for number, piece in enumerate(pieces, 1):
        chunk = left + piece
        found = find_lines(chunk, is_skipping=is_skipping, is_last=number == len(pieces), most=10**6, admits=lambda _: True)
        kept += found.lines
        left, is_skipping = chunk[found.consumed :], found.is_skipping
    assert left == b""
    return kept


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"x", b"\n") * 3), min_size=1), st.integers(8, 12))
def test_reading_in_pieces_is_reading_at_once(pieces: list[bytes], limit: int) -> None:
    """Lines, cuts and a last line without newline do not depend on where the chunks end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "MAX_LINE_BYTES", limit)
        at_once = b"".join(pieces).split(b"\n")
        if not at_once[-1]:
            at_once.pop()
        assert read(pieces) == [cut(line) for line in at_once]


@given(st.binary(max_size=60).map(lambda b: b.replace(b"x", b"\n")), st.integers(0, 5), st.booleans())
def test_every_byte_consumed_is_in_a_line_or_in_the_surplus(chunk: bytes, tokens: int, is_last: bool) -> None:
    """After the first line beyond the rate the rest is counted, neither more nor less."""
    allowance = Allowance(Bounds(burst=tokens), tokens=None, at=0.0)
    found = find_lines(chunk, is_skipping=False, is_last=is_last, most=10**6, admits=allowance.admits)
    total = len(chunk.split(b"\n")) - (0 if is_last and not chunk.endswith(b"\n") and chunk else 1)
    assert len(found.lines) == min(tokens, total)
    assert found.surplus_lines == total - len(found.lines)
    kept_bytes = sum(len(line.text) + 1 for line in found.lines)
    assert found.consumed in (kept_bytes + found.surplus_bytes, kept_bytes + found.surplus_bytes - 1)


def test_long_lines_cost_more() -> None:
    """A line costs a token per KiB begun, an empty one too."""
    allowance = Allowance(Bounds(burst=17), tokens=None, at=0.0)
    assert [allowance.admits(n) for n in (0, MAX_LINE_BYTES, 1)] == [True, True, False]


def test_the_time_in_which_nobody_read_counts_in_full() -> None:
    """An hour without an agent is an hour in which the workload may have written, and so is one with a backlog."""
    allowance = Allowance(Bounds(burst=10, tokens_per_second=2), tokens=None, at=1_000.0)
    allowance.refill(1_100.0, caught_up_at=None)
    assert allowance.tokens == 210
    allowance.refill(1_101.0, caught_up_at=999.0)
    assert allowance.tokens == 212


def test_an_instance_that_was_quiet_has_saved_no_more_than_the_burst() -> None:
    """The time up to the last look at which nothing was left fills the burst and no more."""
    allowance = Allowance(Bounds(burst=10, tokens_per_second=2), tokens=3, at=1_000.0)
    allowance.refill(5_001.0, caught_up_at=5_000.0)
    assert allowance.tokens == 12


def test_a_clock_set_back_gives_nothing_and_takes_nothing() -> None:
    """The bucket stands still and goes on from the new time."""
    allowance = Allowance(Bounds(burst=10, tokens_per_second=2), tokens=3, at=1_000.0)
    allowance.refill(900.0, caught_up_at=899.0)
    assert (allowance.tokens, allowance.at) == (3, 900.0)
