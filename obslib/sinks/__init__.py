"""Sinks: where finished log lines go, and how none of it can hold up the component.

Below ``logs`` and above nothing that logs, so that a sink in trouble can only count.
"""

from __future__ import annotations

from obslib.sinks.memory import MemorySink
from obslib.sinks.sink import Sink
from obslib.sinks.stream import StreamSink

__all__ = ["MemorySink", "Sink", "StreamSink"]
