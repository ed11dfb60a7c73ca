"""The catalog's alerts as a Prometheus rule file, a group for each plane."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.catalog import Alert, Catalog, Plane, Rule
from obslib.catalog.promql import duration

__all__ = ["HEADER", "quoted", "rule_file"]

HEADER = "# Rendered by 'obslib build' from the catalog; change the declarations instead."


def rule_file(catalog: Catalog, *, shorten: float = 1.0) -> str:
    """Every alert of ``catalog``, one rule a threshold; windows, ages and waits are divided by ``shorten``."""
    lines = [HEADER, "groups:"]
    for plane in Plane:
        alerts = [alert for alert in catalog.of(Alert) if alert.plane is plane]
        if alerts:
            lines += [f"  - name: {plane.value}", "    rules:"]
            lines += [line for alert in alerts for rule in alert.rules for line in _rule(alert, rule, shorten)]
    return "\n".join(lines if len(lines) > 2 else [HEADER, "groups: []"]) + "\n"


def quoted(text: str) -> str:
    """``text`` as a YAML scalar on one line."""
    return "'" + text.replace("'", "''") + "'"


def _rule(alert: Alert, rule: Rule, shorten: float) -> Iterator[str]:
    yield f"      - alert: {alert.name}"
    yield f"        expr: {quoted(rule.query.render(shorten=shorten))}"
    yield f"        for: {duration(rule.for_s / shorten)}"
    yield "        labels:"
    yield from (f"          {name}: {quoted(value)}" for name, value in alert.labels(rule).items())
    yield "        annotations:"
    yield f"          summary: {quoted(rule.summary)}"
    yield f"          description: {quoted(alert.help)}"
