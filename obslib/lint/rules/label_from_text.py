"""OBS110: a label value that is put together at runtime."""

from __future__ import annotations

from typing import ClassVar

from obslib.lint.bounds import LabelValueRule
from obslib.lint.value import Taint

__all__ = ["LabelFromText"]


class LabelFromText(LabelValueRule):
    """A label value is text put together at runtime: an f-string, ``%``, ``format``, ``join``, ``+``.

    Why: nobody can say how many values such a label has, so no budget can be proved. What was several facts is one string now,
    and a query has to take it apart with regular expressions.

    Fix: give each fact its own label, or take one value of a closed set: ``VALUES[key]``. Constants put together are fine, and
    so is ``f"{status // 100}xx"``.
    """

    code = "OBS110"
    name = "label-from-text"
    taints = frozenset({Taint.FORMATTED})
    way_out = "take one of a closed set, and log the text"
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def count(obs: Observability, status: int) -> None:
            hundred = f"{status // 100}xx"
            requests = obs.metrics[cp.HTTP_REQUESTS]
            requests.labels(method="GET", path_template="/v1/apps", status_class=hundred).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        SCHEME = "https"
        PORTS = {SCHEME + "-in": "443", "%s-out" % SCHEME: "8443"}

        def count(obs: Observability) -> None:
            for name in ("in", "out"):
                obs.metrics[edge.EDGE_CONNECTIONS].labels(listener_port=PORTS[f"https-{name}"], result="proxied").inc()
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def requests(obs: Observability, name: str) -> None:
            cached = partial(obs.metrics[r.AGENT_IMAGE_CACHE_REQUESTS].labels)
            cached(result="hit" if f"{name}.img" else "miss").inc()
            obs.log.info("looked up", image=f"{name}.img")
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        class States:
            PREFIX = "re"

            def __init__(self, obs: Observability) -> None:
                self._ready = obs.metrics[s.AGENT_INSTANCES].labels(state=self.PREFIX + "ady")
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def top(obs: Observability, ratios: list[float]) -> None:
            obs.metrics[r.AGENT_INSTANCE_MEMORY_TOP_RATIO].replace({str(at): each for at, each in enumerate(ratios, start=1)})
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def appended(obs: Observability, event: str, outcome: str) -> None:
            obs.metrics[cp.EVENT_APPENDS].labels(result=f"{event}-{outcome}").inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        class Listener:
            def __init__(self, obs: Observability, port: int) -> None:
                self._seen = obs.metrics[edge.EDGE_CONNECTIONS].labels
                self.name = "port-%d" % port

            def accepted(self) -> None:
                self._seen(listener_port=self.name, result="proxied").inc()
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def killed(obs: Observability, app: str, kind: str) -> None:
            kills = partial(obs.metrics[r.AGENT_INSTANCE_OOM_KILLS].labels, process_type="-".join((app, kind)))
            kills().inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def killed(obs: Observability, app: str) -> None:
            def name(kind: str) -> str:
                return "{}/{}".format(app, kind)

            obs.metrics[r.AGENT_INSTANCE_OOM_KILLS].labels(**dict(process_type=name("web"))).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def states(obs: Observability, counts: dict[str, int]) -> None:
            obs.metrics[s.AGENT_INSTANCES].callback(lambda: {"state " + name: count for name, count in counts.items()})
        """,
        """
        import prometheus_client as prom

        JOBS = prom.Counter("jobs_total", "Jobs.", ["queue", "name"])

        def ran(queue: str, shard: int) -> None:
            JOBS.labels("mail", f"{queue}:{shard}").inc()
        """,
    )
