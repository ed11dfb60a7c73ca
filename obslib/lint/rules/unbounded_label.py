"""OBS111: a label value that can be anything."""

from __future__ import annotations

from typing import ClassVar

from obslib.lint.bounds import LabelValueRule
from obslib.lint.value import Taint

__all__ = ["UnboundedLabel"]


class UnboundedLabel(LabelValueRule):
    """A label value can be anything: a ``str`` parameter under a closed label, the environment, a host, the time, a figure.

    Why: a closed label promises that every value is written down. What is not in the set ends up as ``_other``, so the series
    you wanted stays at 0; under an open label, times and figures take one place after the other until the budget is gone.

    Fix: annotate the parameter with the label's type (``kind: Kind``) so that mypy checks every caller, or fold what comes
    in: ``KINDS.get(given, "other")``, ``REASONS.fold(given)``. Figures are what histograms and gauges are for.
    """

    code = "OBS111"
    name = "unbounded-label"
    taints = frozenset({Taint.UNBOUNDED})
    way_out = "annotate it with the label's type, or fold it into the label's values"
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s
        from obslib.catalog.platform.terms import InstanceState

        def states(obs: Observability, state: InstanceState) -> None:
            obs.metrics[s.AGENT_INSTANCES].labels(state=state).set(1)
        """,
        """
        import os
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def backoff(obs: Observability) -> None:
            reason = os.environ.get("REASON", "")
            if reason not in ("oom_killed", "node_draining"):
                reason = "crash_loop_backoff"
            obs.metrics[s.AGENT_BACKOFFS].labels(reason=reason).inc()
        """,
        """
        from enum import StrEnum
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        class Found(StrEnum):
            HIT = "hit"
            MISS = "miss"

        def looked_up(obs: Observability, found: Found) -> None:
            requests = partial(obs.metrics[r.AGENT_IMAGE_CACHE_REQUESTS].labels, result=found.value)
            requests().inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        class Kills:
            def __init__(self, obs: Observability, process_type: str) -> None:
                self._kills = obs.metrics[r.AGENT_INSTANCE_OOM_KILLS].labels(process_type=process_type)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        def listeners(obs: Observability, ports: list[int]) -> None:
            obs.metrics[edge.EDGE_CONNECTIONS_ACTIVE].callback(lambda: {str(port): 1.0 for port in ports})
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def appended(obs: Observability, ok: bool) -> None:
            def count(result: str) -> None:
                obs.metrics[cp.EVENT_APPENDS].labels(result=result).inc()

            count("success" if ok else "failure")
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def states(obs: Observability, state: str) -> None:
            obs.metrics[s.AGENT_INSTANCES].labels(state=state).set(1)
        """,
        """
        import os as system
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        REASON = system.environ["REASON"]

        def backoff(obs: Observability) -> None:
            obs.metrics[s.AGENT_BACKOFFS].labels(**{"reason": REASON}).inc()
        """,
        """
        from socket import gethostname
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def killed(obs: Observability) -> None:
            kills = partial(obs.metrics[r.AGENT_INSTANCE_OOM_KILLS].labels)
            kills(process_type=gethostname()).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        class Boots:
            def __init__(self, obs: Observability) -> None:
                self._failures = obs.metrics[s.AGENT_BOOT_FAILURES]

            def ended(self, exit_code: int) -> None:
                self._failures.labels(reason=str(exit_code)).inc()
        """,
        """
        import time
        from obslib import Observability
        from obslib.catalog.platform import edge

        def count(obs: Observability) -> None:
            def now() -> str:
                return str(time.time())

            obs.metrics[edge.EDGE_CONNECTIONS].labels(listener_port=now(), result="proxied").inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def appended(obs: Observability, results: list[str]) -> None:
            [obs.metrics[cp.EVENT_APPENDS].labels(result=result).inc() for result in results]
        """,
    )
