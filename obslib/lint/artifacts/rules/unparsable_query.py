"""OBS621: a query is no PromQL."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.artifacts.rule import Fault, QueryRule

__all__ = ["UnparsableQuery"]


class UnparsableQuery(QueryRule):
    """An alert, a recording rule, a panel or a variable has a query that is no PromQL, or none.

    Why: a panel shows an error to whoever opens it at three in the morning, and a rule file with one such query is refused
    as a whole: all its alerts are gone.

    Fix: mend the query where the parser gave up; ``promtool check rules`` says the same.
    """

    code = "OBS621"
    name = "unparsable-query"
    good = ("sum(rate(loop_errors_total[5m]))", "max by (projection) (projection_lag_events) > 5000 # a comment")
    bad = (
        "sum(rate(loop_errors_total[5m])",
        "rate(loop_errors_total)",
        "loop_healthy{loop=}",
        "loop_healthy{loop=~'['}",
        "smu(loop_healthy)",
        " ",
    )

    def check(self, question: Question, names: Names) -> Iterator[Fault]:
        """The one sentence of the parser."""
        if question.failure:
            yield Fault(question.place(), f"{question.where} has no query that can be read: {question.failure}; mend it")
