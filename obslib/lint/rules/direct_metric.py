"""OBS113: a metric beside the catalog."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import File, MetricCreated
from obslib.lint.value import Kind

__all__ = ["DirectMetric"]


class DirectMetric(Rule[MetricCreated]):
    """A metric of prometheus_client or OpenTelemetry is created beside the catalog.

    Why: nobody proves its budget, checks its labels, folds what overflows or keeps its name; rules, dashboards and the linter
    do not know that it exists. It may not even be in ``/metrics``, which serves obslib's registry.

    Fix: declare it with ``@counter``, ``@gauge`` or ``@histogram`` and bind it, ``obs.metrics[DECLARATION]``. What a library
    collects for itself goes in through ``obs.metrics.include(collector)``, its families declared as ``ExternalMetric``.
    """

    code = "OBS113"
    name = "direct-metric"
    on = MetricCreated
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib.catalog import counter

        @counter("jobs_total", serves=("JOB-1",))
        def JOBS() -> None:
            "Jobs run."
        """,
        """
        from obslib import Observability
        from prometheus_client import CollectorRegistry, Counter

        def of_library(obs: Observability) -> None:
            apart = CollectorRegistry()
            Counter("library_calls_total", "Calls.", registry=apart)
            obs.metrics.include(apart)
        """,
        """
        from obslib import Observability
        from prometheus_client import Gauge as G

        class Bridge:
            def __init__(self, obs: Observability) -> None:
                self.depth = G("library_queue_depth", "Depth.", registry=None)
                obs.metrics.include(self.depth)
        """,
        """
        import collections
        from collections import Counter

        def words(text: str) -> Counter[str]:
            return Counter(text.split()) + collections.Counter()
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s
        from prometheus_client import ProcessCollector

        def wire(obs: Observability) -> None:
            obs.metrics.include(ProcessCollector(registry=None))
            boots = partial(obs.metrics[s.AGENT_BOOT_FAILURES].labels, reason="oom_killed")
            boots().inc()
        """,
        """
        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from prometheus_client import Counter

        def total(counters: "list[Counter]") -> int:
            return len([counter for counter in counters])
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from prometheus_client import Counter

        JOBS = Counter("jobs_total", "Jobs run.", ["kind"])
        """,
        """
        import prometheus_client as prom
        from functools import partial

        gauge = partial(prom.Gauge, documentation="Made.")
        DEPTH = gauge("queue_depth")
        """,
        """
        from opentelemetry import metrics

        meter = metrics.get_meter("shop")

        class Shop:
            def __init__(self) -> None:
                self._sold = meter.create_counter("shop.sold")
        """,
        """
        from prometheus_client.metrics import Histogram as H

        def timed(function):
            return H(f"{function.__name__}_seconds", "Time.").time()(function)
        """,
        """
        import prometheus_client

        SUMMARIES = {name: prometheus_client.Summary(f"{name}_bytes", "Size.") for name in ("in", "out")}
        """,
        """
        from obslib import Observability
        from prometheus_client import CollectorRegistry, Counter

        def of_library(obs: Observability) -> None:
            def calls():
                return Counter("library_calls_total", "Calls.", registry=CollectorRegistry())

            obs.metrics.include(CollectorRegistry())
        """,
    )

    def check(self, use: MetricCreated, file: File) -> Iterator[Problem]:
        """Report it unless this file hands it, or its registry, to obslib."""
        if not file.is_of(use.library) and not _is_included(use, file):
            yield Problem(
                use.node,
                f"{file.source(_made(use))!r} makes a metric beside the catalog; declare it and bind it with obs.metrics[…], "
                "or hand a library's own collector to obs.metrics.include(…)",
            )


def _made(use: MetricCreated) -> ast.AST:
    return use.node.func if isinstance(use.node, ast.Call) else use.node


def _is_included(use: MetricCreated, file: File) -> bool:
    """Whether a call of ``obs.metrics.include`` in this file is given the metric or the registry it registers with."""
    registry = use.arguments.get("registry")
    made = {id(use.node), *_identities(registry, use, file)}
    for call, scope in file.look.call_sites("include", file.module):
        callee = file.value(call.func, scope)
        is_ours = callee.kind is Kind.METHOD and callee.base is not None and callee.base.kind is Kind.METRICS
        if is_ours and any(id(file.value(each, scope).node) in made for each in call.args):
            return True
    return False


def _identities(registry: ast.expr | None, use: MetricCreated, file: File) -> set[int]:
    node = file.value(registry, use.scope).node
    return set() if node is None else {id(node)}
