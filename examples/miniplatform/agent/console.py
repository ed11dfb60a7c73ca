"""What workloads write, captured as it grows and resumed exactly where an earlier agent stopped.

The kernel writes each stream of each boot straight to a file, so nothing is lost while no agent runs. The guest init
gives the oldest part of a large file back to the disk (``guest_init.py``); what nobody had read by then is a gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from obslib.workload.node import Capture, Rest, Spool, SpoolUnavailable
from obslib_agent.workload_logs import WorkloadLogs

__all__ = ["Consoles"]

_PAUSE_S = 0.2
_TIDY_EVERY = 50


class Consoles:
    """The consoles of the boots that run. ``known`` are the boots the node remembers: the spool forgets all others."""

    def __init__(self, capture: Capture, spool: Spool, logs: WorkloadLogs, known: Callable[[], set[str]]) -> None:
        self._capture = capture
        self._spool = spool
        self._logs = logs
        self._known = known
        self._ended: set[str] = set()

    def open(self, instance_id: str, boot_id: str, *, is_new: bool) -> None:
        """Capture this boot's console from now on; open a new one before anything runs in it."""
        self._capture.open(instance_id, boot_id, is_new=is_new)

    async def follow(self) -> None:
        """Read for ever, a little of each console in turn."""
        passes = 0
        while True:
            rest = self._pass(is_tidying=passes % _TIDY_EVERY == 0)
            self._logs.settle()
            passes += 1
            await asyncio.sleep(0 if rest is Rest.AT_ONCE else _PAUSE_S)

    async def finish(self, boot_id: str) -> None:
        """Read a console to its end, now that nobody writes to it; a last line without a newline counts too.

        If the spool cannot keep it all now, ``follow`` goes on with it: the end of an instance does not wait for that.
        """
        self._ended.add(boot_id)
        rest = Rest.AT_ONCE
        while rest is Rest.AT_ONCE:
            try:
                rest = self._advance(boot_id)
            except SpoolUnavailable as error:
                self._logs.capture_failed(error)
                return
            await asyncio.sleep(0)

    def resume(self) -> None:
        """Finish what an earlier agent did not; call it once the boots that run are open."""
        with suppress(SpoolUnavailable):
            for boot_id, instance_id in self._spool.unfinished().items():
                if boot_id not in self._capture.boots:
                    self._capture.open(instance_id, boot_id, is_new=False)
                    self._ended.add(boot_id)

    def _pass(self, *, is_tidying: bool) -> Rest:
        rest = Rest.NOTHING
        try:
            for boot_id in self._capture.boots:
                rest = max(rest, self._advance(boot_id))
            if is_tidying:
                self._spool.retain(self._known())
        except SpoolUnavailable as error:
            self._logs.capture_failed(error)
            return Rest.LATER
        self._logs.captured()
        return rest

    def _advance(self, boot_id: str) -> Rest:
        if boot_id not in self._ended:
            return self._capture.look(boot_id)
        rest = self._capture.finish(boot_id)
        if rest is Rest.NOTHING:
            self._ended.discard(boot_id)
        return rest
