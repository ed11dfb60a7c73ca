"""A MemorySink keeps what it was given."""

from __future__ import annotations

from obslib.sinks import MemorySink, Sink


def test_it_keeps_lines_until_it_is_closed() -> None:
    """Lines stay in order; a closed sink refuses more and keeps the old ones."""
    sink: Sink = MemorySink()
    assert sink.offer(b"one")
    assert sink.offer(b"two")
    assert sink.flush(0.0)
    sink.close(0.0)
    assert not sink.offer(b"three")
    assert isinstance(sink, MemorySink)
    assert sink.lines == [b"one", b"two"]
