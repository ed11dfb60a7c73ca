"""OBS101: a metric that no catalog declares."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import Binding, File
from obslib.lint.value import Kind

__all__ = ["UndeclaredMetric"]

_METRICS = frozenset({"Counter", "Gauge", "Histogram", "InstanceMetric", "Family", "Declaration"})


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
            obs.metrics[s.AGENT_INSTANCES_DESIRED].set(3)
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def wire(obs: Observability) -> None:
            obs.metrics['http_requests_total'].inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            obs.metrics[s.NO_SUCH_METRIC].inc()
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
        elif isinstance(use.key, (ast.Constant, ast.JoinedStr)) or value.kind in {
            Kind.TEXT,
            Kind.TAINTED,
            Kind.STRING,
            Kind.NUMBER,
        }:
            yield Problem(use.key, f"{shown} is text, not a declaration; declare the metric and bind the declaration")
        elif value.kind in {Kind.DECLARED, Kind.DECLARATION} and value.name not in _METRICS:
            yield Problem(use.key, f"{shown!r} is a {value.name}, not a metric; bind it with what fits a {value.name}")


def _module(dotted: str) -> str:
    return dotted.rpartition(".")[0]
