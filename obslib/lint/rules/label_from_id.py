"""OBS108: a label value that names one of many."""

from __future__ import annotations

from typing import ClassVar

from obslib.lint.bounds import LabelValueRule
from obslib.lint.value import Taint

__all__ = ["LabelFromId"]


class LabelFromId(LabelValueRule):
    """A label value is an id: of a user, a request, an instance, or one made just now.

    Why: there is a series for every id there ever was, and none of them is looked at twice. An id under the label of another
    kind of id is refused at runtime, or, worse, takes a place in that label's budget (CARD-01).

    Fix: write the id to a log line, or show the figure where one thing is asked for: ``platform describe instance`` (CARD-07).
    Where a quota bounds the instances, declare an ``@instance_gauge`` (CARD-02).
    """

    code = "OBS108"
    name = "label-from-id"
    taints = frozenset({Taint.ID})
    way_out = "log it, or show the figure in 'platform describe' (CARD-07)"
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def usage(obs: Observability, group) -> None:
            memory = obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE]
            memory.labels(env_id=group.env_id, process_type=group.process_type).set(1)
        """,
        """
        import uuid
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def booted(obs: Observability) -> None:
            obs.log.info("booted", boot=str(uuid.uuid4()))
            obs.metrics[s.AGENT_INSTANCES].labels(state="ready").set(1)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def ratios(obs: Observability, loads: dict[str, float]) -> None:
            obs.metrics[r.AGENT_INSTANCE_MEMORY_RATIO].replace({instance_id: load for instance_id, load in loads.items()})
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform.edge import EDGE_ROUTE_BACKENDS as BACKENDS

        class Routes:
            def __init__(self, obs: Observability) -> None:
                self._of = partial(obs.metrics[BACKENDS].labels)

            def set(self, route) -> None:
                self._of(route_id=str(route.route_id)).set(len(route.backends))
        """,
        """
        from typing import Annotated
        from obslib import Observability
        from obslib.catalog import Label, counter

        TENANT = Label.budgeted("tenant", 40, why="customers of this cell")

        @counter("cell_jobs_total", serves=("CELL-1",))
        def JOBS(*, tenant: Annotated[str, TENANT]) -> None:
            "Jobs run."

        def ran(obs: Observability, job) -> None:
            obs.metrics[JOBS].labels(tenant=job.tenant_id).inc()
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def boot(obs: Observability, user) -> None:
            obs.metrics[s.AGENT_BOOT_FAILURES].labels(reason=user.id).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def boot(obs: Observability, want) -> None:
            obs.metrics[s.AGENT_BOOT_FAILURES].labels(reason=want.instance_id).inc()
        """,
        """
        from uuid import uuid4 as fresh
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def kill(obs: Observability) -> None:
            name = fresh().hex
            obs.metrics[r.AGENT_INSTANCE_OOM_KILLS].labels(process_type=name).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def usage(obs: Observability, instance) -> None:
            given = {"env_id": instance.app_id, "process_type": "web"}
            obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE].labels(**given).set(1)
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import edge

        class Proxy:
            def __init__(self, obs: Observability) -> None:
                self._proxied = partial(obs.metrics[edge.EDGE_CONNECTIONS].labels, result="proxied")

            def accepted(self, user: dict[str, str]) -> None:
                self._proxied(listener_port=user["user_id"]).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def states(obs: Observability, instances) -> None:
            obs.metrics[s.AGENT_INSTANCES].callback(lambda: {each.instance_id: 1.0 for each in instances})
        """,
        """
        import uuid
        from prometheus_client import Gauge

        JOB = Gauge("job_started_timestamp_seconds", "Jobs.", ["job"])

        def start():
            def labelled(job):
                return JOB.labels(job=job)

            labelled(str(uuid.uuid4())).set_to_current_time()
        """,
    )
