"""The series Prometheus writes about alerts: they are in its head as well, and no target exports them."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from obslib.catalog import Alert, Catalog, Domain, ExternalMetric, Family, Rule
from obslib.catalog.budget import FamilyBudget

__all__ = ["alert_series"]

_STATES = 3  # ALERTS while pending, ALERTS while firing, ALERTS_FOR_STATE

Running = Mapping[str, tuple[int, tuple[FamilyBudget, ...]]]
"""By component: how many processes of it run, and what each holds."""


def alert_series(catalog: Catalog, running: Running) -> int:
    """How many there can be at worst: every state of every result of every rule.

    A rule that groups by nothing has one result, and an ``or`` of something absent may add one to any.
    """
    rules = [rule for alert in catalog.of(Alert) for rule in alert.rules]
    return sum(prod(_values(label, rule, running) for label in rule.query.labels) + 1 for rule in rules) * _STATES


def _values(label: str, rule: Rule, running: Running) -> int:
    """How many values of a label the metrics of a rule bring along.

    Closed ones are the same in every process, open ones may differ, and a constant one is the process's own.
    """
    found = 0
    for processes, budgets in running.values():
        for budget in budgets:
            if budget.declaration in rule.query.metrics:
                each = {factor.labels: factor.bound for factor in budget.alone}.get((label,), 1)
                found += each * (1 if _is_closed(label, budget.declaration) else processes)
    return found


def _is_closed(label: str, declaration: Family[...] | ExternalMetric) -> bool:
    labels = declaration.labels if isinstance(declaration, Family) else ()
    return any(use.name == label and use.label.domain is Domain.CLOSED for use in labels)
