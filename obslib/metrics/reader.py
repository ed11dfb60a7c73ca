"""Reading sources beside the scrape, so that one that hangs is missing from it instead of ending it.

A source is the component's own code and may wait for ever. All of them are read by one thread that lives as long
as the registry; only when a source holds it up does another thread take over what is left. A source that has not
returned is not called again, so a hanging one costs one thread, once, and no later scrape any time.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Iterable

from obslib.clock import SystemClock
from obslib.metrics.sources import Figures, Source

__all__ = ["Reader"]

_DEADLINE_S = 1.0
_PATIENCE_S = 0.1

Landed = queue.SimpleQueue[tuple[Source, tuple[Figures, bool]]]


class Reader:
    """Reads the sources of one registry; one scrape at a time may call it.

    All of them together get ``deadline_s`` seconds of real time per scrape. After ``patience_s`` without an answer
    the remaining ones are read by another thread.
    """

    def __init__(self, *, deadline_s: float = _DEADLINE_S, patience_s: float = _PATIENCE_S) -> None:
        self._worker: _Worker | None = None
        self._deadline_s = deadline_s
        self._patience_s = patience_s
        self._under_way: set[Source] = set()
        self._process = os.getpid()

    def read(self, sources: Iterable[Source]) -> dict[Source, Figures]:
        """What each source says now; one that raises, is late or has not returned since is empty and counts as failed."""
        if self._process != os.getpid():
            # A forked child has neither the thread nor the readings under way.
            self._worker, self._under_way, self._process = None, set(), os.getpid()
        wanted = list(sources)
        said = self._await(_Batch([source for source in wanted if source not in self._under_way], self._under_way))
        found: dict[Source, Figures] = {}
        for source in wanted:
            found[source], is_clean = said.get(source, ({}, False))
            if not is_clean:
                source.failed()
        return found

    def __del__(self) -> None:
        self._relieve()

    def _await(self, batch: _Batch) -> dict[Source, tuple[Figures, bool]]:
        said: dict[Source, tuple[Figures, bool]] = {}
        missing = len(batch.ahead)
        end = SystemClock.monotonic() + self._deadline_s
        try:
            if missing:
                self._hand_over(batch)
            while len(said) < missing and (left := end - SystemClock.monotonic()) > 0:
                try:
                    source, reading = batch.landed.get(timeout=min(self._patience_s, left))
                    said[source] = reading
                except queue.Empty:
                    if batch.ahead:
                        self._relieve()
                        self._hand_over(batch)
        finally:
            if len(said) < missing:
                self._relieve()
                batch.withdraw()
        return said

    def _hand_over(self, batch: _Batch) -> None:
        if self._worker is None:
            self._worker = _Worker()
        self._worker.batches.put(batch)

    def _relieve(self) -> None:
        """Let the thread end once it comes back from where it is."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.dismiss()


class _Batch:
    """The sources of one scrape that nobody has begun to read, and what the others said."""

    def __init__(self, sources: list[Source], under_way: set[Source]) -> None:
        self.ahead = deque(sources)
        self.landed: Landed = queue.SimpleQueue()
        self._under_way = under_way
        under_way.update(sources)

    def read_next(self) -> bool:
        """Read one source; False when none is left."""
        try:
            source = self.ahead.popleft()
        except IndexError:
            return False
        reading = source.read()
        self._under_way.discard(source)
        self.landed.put((source, reading))
        return True

    def withdraw(self) -> None:
        """Take back what was not begun, for the next scrape."""
        while self.ahead:
            try:
                self._under_way.discard(self.ahead.popleft())
            except IndexError:
                return


class _Worker:
    """One daemon thread that reads batches. It knows no ``Reader``, so that a registry nobody holds is let go."""

    def __init__(self) -> None:
        self.batches: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._is_dismissed = False
        threading.Thread(target=self._serve, name="obslib-metrics-reader", daemon=True).start()

    def dismiss(self) -> None:
        """End after the source that is being read, if any."""
        self._is_dismissed = True
        self.batches.put(None)

    def _serve(self) -> None:
        while self._work_off(self.batches.get()):
            pass

    def _work_off(self, batch: _Batch | None) -> bool:
        while batch is not None and not self._is_dismissed:
            if not batch.read_next():
                return True
        return False
