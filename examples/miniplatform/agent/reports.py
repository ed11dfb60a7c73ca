"""Status reports on their way up: kept until the control plane has them, in order for each instance."""

from __future__ import annotations

import asyncio

from miniplatform.agent.client import CallFailed, Client
from miniplatform.agent.state import QueuedReport, State
from obslib import Observability
from obslib_agent import Agent

__all__ = ["Reporter"]

_BACKOFF_BASE_S = 0.1
_BACKOFF_CAP_S = 2.0


class Reporter:
    """Sends what is queued whenever ``news`` is set. Only what the control plane refuses for good is given up, and told."""

    def __init__(self, obs: Observability, agent: Agent, client: Client, state: State, news: asyncio.Event) -> None:
        self._log = obs.log
        self._agent = agent
        self._client = client
        self._state = state
        self._news = news
        self._is_finishing = False

    async def run(self) -> None:
        """Send until ``finish``; after a failure wait 100 ms, doubling, at most 2 s."""
        failures = 0
        while True:
            self._news.clear()
            if await self._flush():
                failures = 0
                if self._is_finishing:
                    return
                await self._news.wait()
            else:
                await asyncio.sleep(min(_BACKOFF_CAP_S, _BACKOFF_BASE_S * 2**failures))
                failures = min(failures + 1, 10)

    def finish(self) -> None:
        """Send what is queued and end. Ending in the middle of a call would send its report again next time."""
        self._is_finishing = True
        self._news.set()

    async def _flush(self) -> bool:
        """Try everything that is queued once; returns whether the queue is empty."""
        held_back: set[str] = set()
        while queued := [item for item in self._state.queued() if item.report.instance_id not in held_back]:
            for item in queued:
                if item.report.instance_id in held_back:
                    continue
                try:
                    if not await self._send(item):
                        held_back.add(item.report.instance_id)
                except CallFailed:
                    return False
        return not held_back

    async def _send(self, item: QueuedReport) -> bool:
        """Send one report; False when it has to wait. Raises CallFailed when nothing can be sent now."""
        try:
            await self._client.report(item.report, traceparent=item.traceparent)
        except CallFailed as error:
            self._agent.reports.failed()
            if error.is_unanswered:
                raise
            if not error.is_for_good:
                return False
            self._log.error(
                "status report refused for good", error=error, instance_id=item.report.instance_id,
                boot_id=item.report.boot_id, status=item.report.status,
            )  # fmt: skip
        else:
            self._agent.reports.accepted()
        self._state.unqueue(item.sequence)
        return True
