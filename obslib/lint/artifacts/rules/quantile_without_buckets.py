"""OBS627: histogram_quantile() over something that has no buckets."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.carried import carried
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.artifacts.rule import Fault, QueryRule
from obslib.lint.artifacts.terms import Call

__all__ = ["QuantileWithoutBuckets"]


class QuantileWithoutBuckets(QueryRule):
    """histogram_quantile() over a result that has no label ``le``: no buckets, or buckets added up without it.

    Why: there is no bucket left to interpolate in, so the result is always empty.

    Fix: ask for ``_bucket`` and keep ``le`` in the grouping: ``sum by (le) (rate(name_bucket[5m]))``.
    """

    code = "OBS627"
    name = "quantile-without-buckets"
    good = (
        "histogram_quantile(0.9, sum by (le, loop) (rate(loop_iteration_duration_seconds_bucket[5m])))",
        "histogram_quantile(0.5, rate(loop_iteration_duration_seconds_bucket[5m]))",
    )
    bad = (
        "histogram_quantile(0.9, sum by (loop) (rate(loop_iteration_duration_seconds_bucket[5m])))",
        "histogram_quantile(0.9, sum(rate(loop_iteration_duration_seconds_bucket[5m])))",
        "histogram_quantile(0.9, rate(loop_iteration_duration_seconds_sum[5m]))",
        "histogram_quantile(0.9, sum without (le) (rate(loop_iteration_duration_seconds_bucket[5m])))",
    )

    def check(self, question: Question, names: Names) -> Iterator[Fault]:
        """Each call whose argument certainly carries no ``le``."""
        for term in question.expression.terms if question.expression else ():
            if (
                isinstance(term, Call)
                and term.name == "histogram_quantile"
                and "le" not in carried(term.arguments[1], names.carried)
            ):
                said = f"{question.where}: {term.name}() over a result without 'le' is always empty"
                at = question.text.written.find(term.name)
                yield Fault(question.place((at, at + len(term.name))), f"{said}; keep it: sum by (le, …) (rate(…_bucket[…]))")
