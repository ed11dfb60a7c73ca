"""The sink for standard output: a bounded queue in front of one writer thread.

The thread is the only place that waits. ``offer`` costs an append and takes no lock that another thread holds
for long, so it may be called from signal handlers and destructors.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
import weakref
from collections import deque

from obslib.catalog.common import LOG_DROPPED_LINES, LOG_LINES
from obslib.clock import Clock
from obslib.sinks.channel import Channel
from obslib.tally import Tally

__all__ = ["StreamSink"]

_GATHER_S = 0.002
_POLL_S = 0.05
_RETRY_S = (0.02, 1.0)
_RETRYABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOBUFS, errno.ENOMEM, errno.EROFS, errno.EFBIG})
_MEAN_LINE = 256
_YIELD_LINES = 512
_LARGE_LINE = 4_096
_MOST_LARGE_BYTES = 16 * 1_048_576


class StreamSink:
    """Writes lines to descriptor ``fd``, each followed by a newline, and never makes the caller wait.

    Holds up to ``buffer_lines`` lines (and 16 MiB of lines over 4 KiB); beyond that new ones are dropped. Lines are
    gathered for 2 ms and written together. A full pipe or disk is waited for and retried, the tail of a partial
    write is kept, a reader that has gone costs the lines of the moment. Each line offered is counted once:
    ``log_lines_total`` written or dropped, ``log_dropped_lines_total`` by reason. After a fork the child starts
    with an empty queue and a thread of its own; the queued lines are the parent's.
    """

    def __init__(self, fd: int, *, tally: Tally, buffer_lines: int, clock: Clock) -> None:
        self._clock = clock
        self._limit = buffer_lines
        self._written = tally.cell(LOG_LINES, result="written")
        self._dropped = tally.cell(LOG_LINES, result="dropped")
        self._full = tally.cell(LOG_DROPPED_LINES, reason="buffer_full")
        self._failed = tally.cell(LOG_DROPPED_LINES, reason="write_error")
        self._late = tally.cell(LOG_DROPPED_LINES, reason="closed")
        self._is_closed = False
        self._channel: Channel | None = None
        with contextlib.suppress(OSError):
            self._channel = Channel(fd)
        self._begin()
        itself = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: sink._begin() if (sink := itself()) is not None else None)

    def offer(self, line: bytes) -> bool:
        """Queue one line without its newline; False when it was dropped."""
        queue = self._queue
        if len(queue) >= self._limit or (len(line) > _LARGE_LINE and not self._has_room(len(line))):
            self._dropped.add()
            (self._late if self._is_closed else self._full).add()
            return False
        queue.append(line)
        if self._is_closed:
            self._drop_queued()
            return False
        if self._is_idle:
            self._wake_up()
        elif len(queue) % _YIELD_LINES == 0:
            time.sleep(0)
        return True

    def flush(self, timeout_s: float) -> bool:
        """Wait until the lines queued now are written or dropped; False when ``timeout_s`` was not enough."""
        with self._hand:
            target = self._done + self._in_hand + len(self._queue)
        deadline = self._clock.monotonic() + timeout_s
        waits_left = int(timeout_s / _GATHER_S) + 1
        while self._done < target and waits_left and self._clock.monotonic() <= deadline and not self._is_closed:
            self._wake_up()
            self._stop.wait(_GATHER_S)
            waits_left -= 1
        return self._done >= target

    def close(self, timeout_s: float) -> None:
        """Flush for at most ``timeout_s``, then drop what is left and let the descriptor go; idempotent."""
        if self._is_closed:
            return
        self.flush(timeout_s)
        self._is_closed = True
        self._stop.set()
        self._release()
        thread = self._thread
        if thread is not None:
            thread.join(2 * _POLL_S)
        self._drop_queued()
        self._settle(late=self._in_hand)
        if self._channel is not None and (thread is None or not thread.is_alive()):
            self._channel.close()

    def _begin(self) -> None:
        """Start with nothing queued; also the state of a fresh child process, whose threads and locks are gone."""
        self._queue: deque[bytes] = deque()
        self._hand = threading.RLock()
        self._large = threading.RLock()
        self._large_bytes = 0
        self._wake = threading.Lock()
        self._starting = threading.Lock()
        self._stop = threading.Event()
        self._is_idle = True
        self._thread: threading.Thread | None = None
        self._done = 0
        self._in_hand = 0

    def _has_room(self, size: int) -> bool:
        with self._large:
            if self._large_bytes + size > _MOST_LARGE_BYTES:
                return False
            self._large_bytes += size
            return True

    def _pop(self) -> bytes:
        """The oldest line; raises IndexError when there is none."""
        line = self._queue.popleft()
        if len(line) > _LARGE_LINE:
            with self._large:
                self._large_bytes -= len(line)
        return line

    def _drop_queued(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self._pop()
                self._dropped.add()
                self._late.add()

    def _wake_up(self) -> None:
        self._is_idle = False
        self._release()
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def _release(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._wake.release()

    def _start(self) -> None:
        if self._is_closed or not self._starting.acquire(blocking=False):
            return
        try:
            thread = threading.Thread(target=self._run, args=(self._stop,), name="obslib-sink", daemon=True)
            if self._thread is None or not self._thread.is_alive():
                thread.start()
                self._thread = thread
        except RuntimeError:
            self._is_idle = True
        finally:
            self._starting.release()

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if self._queue:
                self._write(self._take(), stop)
                continue
            self._is_idle = True
            if not self._queue:
                self._wake.acquire(timeout=1.0)
            self._is_idle = False
            stop.wait(_GATHER_S)

    def _take(self) -> list[bytes]:
        queue = self._queue
        most = self._channel.room(_MEAN_LINE * len(queue)) if self._channel is not None else _LARGE_LINE
        batch: list[bytes] = []
        size = 0
        with self._hand:
            with contextlib.suppress(IndexError):
                while not batch or size + len(queue[0]) < most:
                    line = self._pop()
                    batch.append(line)
                    size += len(line) + 1
            self._in_hand = len(batch)
        return batch

    def _write(self, batch: list[bytes], stop: threading.Event) -> None:
        rest = memoryview(b"\n".join([*batch, b""]))
        pause = _RETRY_S[0]
        while rest and self._channel is not None and not stop.is_set():
            try:
                rest = rest[self._channel.write(rest) :]
                pause = _RETRY_S[0]
            except BlockingIOError:
                self._channel.wait(_POLL_S)
            except OSError as error:
                if error.errno not in _RETRYABLE:
                    break
                stop.wait(pause)
                pause = min(2 * pause, _RETRY_S[1])
        unwritten = _lines_in(batch, len(rest))
        self._settle(
            written=len(batch) - unwritten,
            failed=0 if stop.is_set() else unwritten,
            late=unwritten if stop.is_set() else 0,
        )

    def _settle(self, *, written: int = 0, failed: int = 0, late: int = 0) -> None:
        """Count the batch in hand, unless close() or a fork has disowned it already."""
        with self._hand:
            if not self._in_hand:
                return
            self._done += self._in_hand
            self._in_hand = 0
        self._written.add(written)
        self._failed.add(failed)
        self._late.add(late)
        self._dropped.add(failed + late)


def _lines_in(batch: list[bytes], octets: int) -> int:
    """How many lines of the batch are not wholly written when this many octets of it are left."""
    count = 0
    while octets > 0:
        count += 1
        octets -= len(batch[-count]) + 1
    return count
