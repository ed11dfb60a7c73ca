"""OBS623: a query asks for names that cannot be followed."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.artifacts.rule import Fault, QueryRule

__all__ = ["UnresolvableName"]


class UnresolvableName(QueryRule):
    """A query leaves open which metric or label it asks for: no name, a pattern for the name, a variable.

    Why: nobody can say whether it will ever match, so a renamed metric goes unnoticed; and a pattern over all names makes
    Prometheus look at every series it has.

    Fix: write the names out. A dashboard lists them in a variable of type ``custom``; each value is then checked.
    """

    code = "OBS623"
    name = "unresolvable-name"
    good = ('{__name__="loop_healthy"}', "loop_healthy or db_up")
    bad = (
        '{__name__=~"loop_.*"}',
        'count({job="agent"})',
        'count by (__name__) ({__name__!=""})',
        'sum({__name__!~"go_.*",job="agent"})',
    )

    def check(self, question: Question, names: Names) -> Iterator[Fault]:
        """Each selector without a fixed name, and each variable that stands for one."""
        for asked in question.unresolved:
            yield Fault(asked.place, f"{question.where}: {asked.message}")
        for selector in question.expression.selectors if question.expression else ():
            if not selector.name:
                said = f"{question.where} has a selector without the name of one metric; write the name"
                yield Fault(question.place(selector.span), said)
