"""OBS626: a function is applied to the wrong kind of metric."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.catalog import Counter, Gauge
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.artifacts.rule import Fault, QueryRule

__all__ = ["WrongFunction"]

_OF_COUNTERS = frozenset({"rate", "irate", "increase", "resets"})
_OF_GAUGES = frozenset({"delta", "idelta", "deriv", "predict_linear", "holt_winters", "double_exponential_smoothing"})


class WrongFunction(QueryRule):
    """rate(), irate(), increase() or resets() over a gauge; delta(), deriv() or predict_linear() over a counter.

    Why: rate() takes every fall of a gauge for a restart and adds it up; delta() takes every restart of a counter for a
    fall. Both give plausible figures.

    Fix: delta() or deriv() for a gauge, increase() or rate() for a counter. A counter without a rate is not reported: to
    ask whether something ever happened is a fair question.
    """

    code = "OBS626"
    name = "wrong-function"
    good = (
        "rate(loop_errors_total[5m])",
        "delta(projection_lag_events[5m])",
        "increase(loop_iteration_duration_seconds_count[1h])",
        "max_over_time(loop_healthy[5m])",
        "rate(process_cpu_seconds_total[5m])",
    )
    bad = (
        "rate(projection_lag_events[5m])",
        "increase(loop_healthy[1h])",
        "delta(loop_errors_total[5m])",
        "deriv(loop_iteration_duration_seconds_sum[5m])",
        "irate(projection_lag_events[5m] offset 1m)",
    )

    def check(self, question: Question, names: Names) -> Iterator[Fault]:
        """Each range whose metric is known to be of the other kind."""
        for selector in question.expression.selectors if question.expression else ():
            known = names.find(selector.name)
            kind = known.kind if known is not None else None
            if selector.function in _OF_COUNTERS and kind is Gauge:
                said, instead = "is a gauge, and it falls", "delta() or deriv()"
            elif selector.function in _OF_GAUGES and kind is Counter:
                said, instead = "is a counter, and it starts anew", "increase() or rate()"
            else:
                continue
            message = f"{question.where}: {selector.function}() over {selector.name!r}, which {said}; use {instead}"
            yield Fault(question.place(selector.span), message)
