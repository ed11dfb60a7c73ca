"""OBS622: a query asks for a metric that there is not."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.artifacts.rule import Fault, QueryRule

__all__ = ["UnresolvedMetric"]


class UnresolvedMetric(QueryRule):
    """A query asks for a metric that neither the catalog declares nor a rule of the files at hand records.

    Why: Prometheus answers such a query with nothing, which looks like "all is well": the alert never fires and the panel
    stays empty.

    Fix: ask for the declared name; a histogram by its ``_bucket``, ``_sum`` and ``_count``. What another exporter serves
    is declared as an ``ExternalMetric``; what a rule records is known when its file is checked together with this one.
    """

    code = "OBS622"
    name = "unresolved-metric"
    good = (
        "sum(up) == 0",
        'ALERTS{alertname="PostgresDown",alertstate="firing"}',
        "histogram_quantile(0.9, sum by (le) (rate(loop_iteration_duration_seconds_bucket[5m])))",
        '{__name__="loop_healthy"} == 0',
    )
    bad = (
        "sum(rate(loop_error_total[5m]))",
        "rate(loop_iteration_duration_seconds[5m])",
        "loop_healthy_bucket",
        "loop_healthy == 0 or loop_wedged == 1",
        '{__name__="loop_helthy"} == 0',
        "job:loop_errors:rate5m > 1",
    )

    def check(self, question: Question, names: Names) -> Iterator[Fault]:
        """Each selector whose name stands for nothing."""
        for selector in question.expression.selectors if question.expression else ():
            if selector.name and names.find(selector.name) is None:
                said = f"{question.where} asks for {selector.name!r}, which no series can have; {names.way_out(selector.name)}"
                yield Fault(question.place(selector.span), said)
