"""OBS624: a query uses a label that its metric does not have."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.carried import Carried, carried
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.artifacts.rule import Fault, QueryRule
from obslib.lint.artifacts.terms import Aggregation, Combination, is_vector

__all__ = ["UnresolvedLabel"]


class UnresolvedLabel(QueryRule):
    """A query matches, groups or joins by a label that the series at that point do not carry.

    Why: a matcher on a label that is not there matches nothing, and grouping by it puts everything into one group: a wrong
    figure that looks right.

    Fix: use a label that the metric declares; besides those there are ``component``, ``node_id`` on a node, ``le`` on
    buckets, and the target's ``job`` and ``instance``. What an inner aggregation dropped is gone further out.
    """

    code = "OBS624"
    name = "unresolved-label"
    good = (
        'sum by (loop, component) (rate(loop_errors_total{error_class="timeout"}[5m]))',
        "sum without (instance, job) (loop_healthy)",
        "sum by (le) (rate(loop_iteration_duration_seconds_bucket[5m]))",
        "loop_healthy * on (component, instance) group_left (version) build_info",
        'max by (node_id) (up * on (instance, job) group_left (node_id) health_ready{component="agent"})',
        'label_replace(up, "host", "$1", "instance", "(.*):.*")',
        'count_values("healthy", loop_healthy) by (loop)',
    )
    bad = (
        'loop_healthy{name="scheduler"}',
        "sum by (loop_name) (loop_healthy)",
        "sum by (loop) (sum by (component) (loop_healthy))",
        'up{component="agent"}',
        "max by (le) (loop_iteration_duration_seconds_sum)",
        "loop_healthy * on (loop) group_left (version) build_info",
        "sum without (pod) (loop_healthy)",
        "loop_healthy * on (component) group_left (release) build_info",
    )

    def check(self, question: Question, names: Names) -> Iterator[Fault]:
        """Matchers first, then what groups and joins."""
        if question.expression is None:
            return
        for selector in question.expression.selectors:
            known = names.find(selector.name)
            for matcher in selector.matchers if known is not None else ():
                if known is not None and matcher.label not in known.carried:
                    said = f"{question.where}: {selector.name!r} has no label {matcher.label!r}; {_has(known.carried)}"
                    yield Fault(question.place(matcher.span), said)
        for word, label, inner in _groupings(question, names):
            said = f"{question.where}: {word} names label {label!r}, which is not carried there; {_has(inner)}"
            yield Fault(question.place(question.expression.grouping_span(label)), said)


def _has(found: Carried) -> str:
    listed = sorted(found.labels - {"__name__"})
    return f"what is there: {', '.join(listed)}" if listed else "no label is left there"


def _groupings(question: Question, names: Names) -> Iterator[tuple[str, str, Carried]]:
    """Each label that a ``by``, ``on`` or the like names in vain: the word, the label, what there is instead."""
    for term in question.expression.terms if question.expression else ():
        match term:
            case Aggregation(inner=inner, labels=labels, is_without=is_without) if labels:
                there, word = carried(inner, names.carried), "without" if is_without else "by"
                yield from ((word, label, there) for label in labels if label not in there)
            case Combination(left=left, right=right) if is_vector(left) and is_vector(right):
                yield from _joins(term, carried(left, names.carried), carried(right, names.carried))


def _joins(term: Combination, left: Carried, right: Carried) -> Iterator[tuple[str, str, Carried]]:
    either = left.either(right)
    for label in term.matching or ():
        if term.is_ignoring:
            yield from [("ignoring", label, either)] if label not in either else []
        else:
            yield from (("on", label, side) for side in (left, right) if label not in side)
    one = right if term.many == "left" else left
    yield from ((f"group_{term.many}", label, one) for label in term.copied if label not in one)
