"""OBS625: a matcher asks for a value that its label never has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from obslib.catalog import OVERFLOW, Domain
from obslib.lint.artifacts.names import Known, Names, fits
from obslib.lint.artifacts.question import STAND_IN, Question
from obslib.lint.artifacts.rule import Fault, QueryRule
from obslib.lint.artifacts.terms import Matcher

__all__ = ["ImpossibleValue"]

_MOST_SHOWN = 12


class ImpossibleValue(QueryRule):
    """A matcher compares a label with a value that it never has: no value of a closed set, no id of its kind, no bucket.

    Why: the selector is always empty, or with ``!=`` always everything, and either looks like an answer.

    Fix: write one of the declared values; a bucket's bound as the exposition spells it, ``le="1.0"``.
    """

    code = "OBS625"
    name = "impossible-value"
    good = (
        'loop_iterations_total{result="failure"}',
        'loop_iterations_total{result=~"fail.*|partial"}',
        'loop_errors_total{error_class!~"timeout|unavailable"}',
        'loop_errors_total{error_class="_other"}',
        'loop_iteration_duration_seconds_bucket{le="1.0"}',
        'up{job="postgres"}',
        'loop_errors_total{error_class!=""}',
    )
    bad = (
        'loop_iterations_total{result="failed"}',
        'loop_iterations_total{result=~"failed|errored"}',
        'loop_errors_total{error_class!="time_out"}',
        'loop_errors_total{error_class!~"time_out"}',
        'loop_iteration_duration_seconds_bucket{le="1"}',
        'loop_healthy{component="schedulr"}',
        'loop_healthy{loop=""}',
        'db_up{component="edge"}',
    )

    def check(self, question: Question, names: Names) -> Iterator[Fault]:
        """Each matcher whose value is known in full."""
        for selector in question.expression.selectors if question.expression else ():
            known = names.find(selector.name)
            for matcher in selector.matchers if known is not None else ():
                said = _wrong(known, matcher) if known is not None and STAND_IN not in matcher.value else ""
                if said:
                    yield Fault(question.place(matcher.value_span), f"{question.where}: {said}")


def _wrong(known: Known, matcher: Matcher) -> str:
    values, use = known.values.get(matcher.label), known.uses.get(matcher.label)
    if values is None and use is not None and use.label.domain is Domain.BUDGETED:
        return _wrong_id(known, matcher)
    if values is None or (matcher.operator in ("!=", "!~", "=~") and matcher.value == ""):
        return ""
    if matcher.operator in ("=~", "!~"):
        if any(_matching(matcher.value, values)):
            return ""
        return f"no value of label {matcher.label!r} of {known.name!r} matches {matcher.value!r}; {_listed(values)}"
    if matcher.value in values:
        return ""
    return f"label {matcher.label!r} of {known.name!r} is never {matcher.value!r}; {_listed(values)}"


def _matching(pattern: str, values: Iterable[str]) -> Iterator[str]:
    """The values that a pattern matches as a whole, in RE2's syntax as Prometheus has it; all, where RE2 cannot read it."""
    import re2  # type: ignore[import-untyped]

    quietly = re2.Options()
    quietly.log_errors = False
    try:
        compiled = re2.compile(pattern, quietly)
    except re2.error:
        yield from values
        return
    yield from (value for value in values if compiled.fullmatch(value))


def _wrong_id(known: Known, matcher: Matcher) -> str:
    label = known.uses[matcher.label].label
    if matcher.operator not in ("=", "!=") or not matcher.value or matcher.value == OVERFLOW or fits(label, matcher.value):
        return ""
    if not label.id_prefix:
        return ""
    return f"label {matcher.label!r} of {known.name!r} holds ids, '{label.id_prefix}_…', never {matcher.value!r}; ask for one"


def _listed(values: Iterable[str]) -> str:
    shown = sorted(set(values) - {OVERFLOW}, key=_by_size)
    more = f" and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
    return f"it is one of {', '.join(shown[:_MOST_SHOWN])}{more}"


def _by_size(value: str) -> tuple[float, str]:
    try:
        return float(value), value
    except ValueError:
        return 0.0, value
