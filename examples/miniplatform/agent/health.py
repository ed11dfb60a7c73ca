"""Health checks of workloads: over TCP a port that accepts, over HTTP a path that answers 2xx.

One pass makes an instance healthy, ``FAILURES`` in a row make it unhealthy (platform facts §8).
"""

from __future__ import annotations

import asyncio

from miniplatform.agent.workload import ADDRESS
from miniplatform.wire import HealthSpec
from obslib.wire import HealthReport, rfc3339

__all__ = ["FAILURES", "check", "judged"]

FAILURES = 3
_STATUS_LINE_LIMIT = 1024


async def check(spec: HealthSpec, port: int, timeout_s: float) -> str:
    """Ask once; returns ``""`` for a pass, else why it failed: refused, timeout, reset, malformed or ``status_503``."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _ask(spec, port)
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "reset"


def judged(before: HealthReport, reason: str, now: float) -> HealthReport:
    """The report after one more check, ``reason`` being what ``check`` returned and ``now`` in Unix seconds."""
    if not reason:
        return HealthReport(last_result="pass", last_checked_at=rfc3339(now))
    return HealthReport(
        last_result="fail",
        consecutive_failures=before.consecutive_failures + 1,
        last_checked_at=rfc3339(now),
        reason=reason,
    )


async def _ask(spec: HealthSpec, port: int) -> str:
    reader, writer = await asyncio.open_connection(ADDRESS, port, limit=_STATUS_LINE_LIMIT)
    try:
        if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
            return "refused"  # TCP let us connect to ourselves: a free port of the ephemeral range, nobody listening
        if spec.type == "tcp":
            return ""
        writer.write(f"GET {spec.path} HTTP/1.1\r\nHost: {ADDRESS}:{port}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        words = (await reader.readline()).decode("latin-1").split()
    except ValueError:
        return "malformed"
    finally:
        writer.close()
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        return "malformed"
    return "" if words[1].startswith("2") else f"status_{words[1]}"
