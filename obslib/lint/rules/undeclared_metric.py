"""OBS101: a metric that no catalog declares."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import Binding, File
from obslib.lint.value import ANYTHING, Kind

__all__ = ["UndeclaredMetric"]

_METRICS = frozenset({"Counter", "Gauge", "Histogram", "InstanceMetric", "Family", "Declaration"})
_IS_TEXT = frozenset({Kind.TEXT, Kind.TAINTED, Kind.STRING, Kind.NUMBER})


class UndeclaredMetric(Rule[Binding]):
    """A metric is bound that no catalog declares.

    Why: what is not declared has no help, no unit, no owner and no place in the series budget. The process refuses to start
    with it, on the machine where it is deployed first.

    Fix: declare it with ``@counter``, ``@gauge`` or ``@histogram`` in the component's catalog and hand over the declaration,
    or use the one there is: ``obslib budget`` lists them.
    """

    code = "OBS101"
    name = "undeclared-metric"
    on = Binding
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            obs.metrics[s.AGENT_INSTANCES_DESIRED].labels().set(3)
        """,
        """
        from typing import Annotated, Literal
        from obslib import Observability
        from obslib.catalog import Label, counter

        KIND = Label.closed("kind", at_most=2)

        @counter("invoices_total", serves=("BILL-1",))
        def INVOICES(*, kind: Annotated[Literal["final", "refund"], KIND]) -> None:
            "Invoices sent."

        class Billing:
            def __init__(self, obs: Observability) -> None:
                self._invoices = obs.metrics[INVOICES]
        """,
        """
        import obslib as o
        from obslib.catalog.platform.edge import EDGE_BACKENDS as BACKENDS
        from obslib.catalog.platform.edge import EDGE_CONNECTIONS

        def wire(obs: o.Observability) -> None:
            bound = [obs.metrics[family] for family in (BACKENDS, EDGE_CONNECTIONS)]
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog import Gauge
        from obslib.catalog.platform import resources as r

        def wire(obs: Observability, gauge: Gauge[...]) -> None:
            metrics = obs.metrics
            peers = partial(metrics[r.AGENT_OVERLAY_PEERS].labels, state="fresh")
            metrics[gauge]
        """,
        """
        class Figures:
            def __init__(self):
                self.metrics = {"http_requests_total": 0}

            def asked(self):
                self.metrics["http_requests_total"] += 1
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def wire(obs: Observability) -> None:
            obs.metrics["http_requests_total"].labels().inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            obs.metrics[s.NO_SUCH_METRIC].labels().inc()
        """,
        """
        import obslib as o
        from obslib.catalog.platform import data_plane

        class Agent:
            def __init__(self, obs: o.Observability) -> None:
                self._metrics = obs.metrics

            def ready(self) -> None:
                self._metrics[data_plane.INSTANCE_READY].labels().inc()
        """,
        """
        from obslib import Observability

        def timed(obs: Observability):
            def decorate(function):
                name = f"{function.__name__}_seconds"
                seconds = obs.metrics[name]
                return function
            return decorate
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        NAMES = ("edge_backends", "edge_connections_total")

        def wire(obs: Observability) -> None:
            bound = {name: obs.metrics[name] for name in NAMES}
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def wire(obs: Observability) -> None:
            fresh = partial(obs.metrics[r.AGENT_OVERLAY_PEER].labels, state="fresh")
            fresh().set(1)
        """,
    )

    def check(self, use: Binding, file: File) -> Iterator[Problem]:
        """Look at ``obs.metrics[…]`` only."""
        if use.through != "metrics":
            return
        value = use.value
        shown = file.source(use.key)
        if value.kind is Kind.MISSING:
            yield Problem(
                use.key, f"{shown!r} is declared nowhere; declare the metric, or use one that {_module(value.name)!r} has"
            )
        elif isinstance(use.key, (ast.Constant, ast.JoinedStr)) or (value.kind in _IS_TEXT and value is not ANYTHING):
            yield Problem(use.key, f"{shown} is text, not a declaration; declare the metric and bind the declaration")
        elif value.kind in {Kind.DECLARED, Kind.DECLARATION} and value.name not in _METRICS:
            yield Problem(use.key, f"{shown!r} is a {value.name}, not a metric; bind it with what fits a {value.name}")


def _module(dotted: str) -> str:
    return dotted.rpartition(".")[0]
