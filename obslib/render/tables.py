"""The catalog as Markdown tables, by the name a page asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from obslib.catalog import (
    Alert,
    Catalog,
    Check,
    Counter,
    Dashboard,
    Declaration,
    Deprecated,
    Domain,
    Family,
    Gauge,
    Histogram,
    Label,
    LogEvent,
    Loop,
    Plane,
    Retention,
    Rule,
    Runbook,
    Stability,
)
from obslib.catalog.promql import duration

__all__ = ["RuleRow", "SettingRow", "tables"]


class SettingRow(Protocol):
    """A setting, as the settings' own table describes it."""

    @property
    def variable(self) -> str:
        """The environment variable."""
        ...

    @property
    def default(self) -> Any:
        """The value without one."""
        ...

    @property
    def unit(self) -> str:
        """Unit of the value, if any."""
        ...

    @property
    def help(self) -> str:
        """What it does."""
        ...


class RuleRow(Protocol):
    """A rule of the linter, as its own page describes it."""

    @property
    def code(self) -> str:
        """Such as ``OBS101``."""
        ...

    @property
    def name(self) -> str:
        """The same in words."""
        ...

    @property
    def summary(self) -> str:
        """What it reports."""
        ...


def tables(catalog: Catalog, settings: Iterable[SettingRow], rules: Iterable[RuleRow] = ()) -> Mapping[str, str]:
    """Every table there is, rendered; rows keep the catalog's order, which is that of the requirements."""
    return {
        "alerts": _alerts(catalog),
        "checks": _checks(catalog),
        "budgets": _budgets(catalog),
        "dashboards": _dashboards(catalog),
        "labels": _labels(catalog),
        "lint-rules": _table(("code", "name", "what it reports"), ((r.code, f"`{r.name}`", r.summary) for r in rules)),
        "log-events": _log_events(catalog),
        "log-fields": _log_fields(catalog),
        "loops": _loops(catalog),
        "metrics": _metrics(catalog),
        "retention": _retention(catalog),
        "runbooks": _runbooks(catalog),
        "settings": _table(
            ("variable", "default", "what it does"),
            ((f"`{s.variable}`", f"`{s.default}`{f' {s.unit}' if s.unit else ''}", s.help) for s in settings),
        ),
    }


def _alerts(catalog: Catalog) -> str:
    return _table(
        ("alert", "condition", "for", "severity", "runbook", "row"),
        (_alert_row(alert, rule) for alert in catalog.of(Alert) for rule in alert.rules),
    )


def _alert_row(alert: Alert, rule: Rule) -> tuple[str, ...]:
    name = f"`{alert.name}`" + (f" ({rule.reason})" if rule.reason else "")
    book = f"[{alert.runbook.name}](runbooks/{alert.runbook.path})" if alert.runbook else ""
    return name, f"`{rule.query.render()}`", duration(rule.for_s), rule.severity.value, book, _rows(alert)


def _checks(catalog: Catalog) -> str:
    return _table(
        ("check", "on", "importance", "what it asks", "rows"),
        ((f"`{c.name}`", _where(c), c.importance.value, c.help, _rows(c)) for c in catalog.of(Check)),
    )


def _budgets(catalog: Catalog) -> str:
    return _table(
        ("component", "families", "worst case, in series", "largest families"),
        (
            (
                name, str(len(catalog.budget(name))), str(catalog.worst_case(name)),
                ", ".join(
                    f"`{budget.family}` {budget.series}"
                    for budget in sorted(catalog.budget(name), key=lambda budget: -budget.series)[:3]
                ),
            )
            for name in catalog.components
        ),
    )  # fmt: skip


def _dashboards(catalog: Catalog) -> str:
    return "\n".join(
        f"**{board.title}**, uid `{board.uid}`, version {board.version}, "
        f"[{board.name}.json](generated/dashboards/{board.plane.value}/{board.name}.json). {board.help}\n\n"
        + _table(
            ("panel", "query", "how to read it"),
            ((panel.title, f"`{panel.query.render()}`", panel.help) for panel in board.panels),
        )
        for board in catalog.of(Dashboard)
    )


def _labels(catalog: Catalog) -> str:
    found: dict[str, tuple[Label, list[Family[...]]]] = {}
    for family in catalog.of(Family):
        for use in family.labels:
            found.setdefault(use.name, (use.label, []))[1].append(family)
    return _table(
        ("label", "bound", "families", "why it is bounded"),
        ((f"`{name}`", _bound(label), str(len(users)), label.why) for name, (label, users) in sorted(found.items())),
    )


def _log_events(catalog: Catalog) -> str:
    return _table(
        ("event", "level", "on", "own fields", "message"),
        (
            (f"`{e.name}`", e.level.value, _where(e), " ".join(f"`{field.name}`" for field in e.fields), _help(e))
            for e in catalog.of(LogEvent)
        ),
    )


def _log_fields(catalog: Catalog) -> str:
    return _table(
        ("field", "id prefix", "meaning"),
        (
            (f"`{field.name}`", f"`{field.id_prefix}_`" if field.id_prefix else "", field.help)
            for field in sorted(catalog.fields.values(), key=lambda field: field.name)
        ),
    )


def _loops(catalog: Catalog) -> str:
    return _table(
        ("loop", "on", "wedged after", "what it does"),
        ((f"`{loop.name}`", _where(loop), duration(loop.stalled_after_s), loop.help) for loop in catalog.of(Loop)),
    )


def _metrics(catalog: Catalog) -> str:
    parts = []
    for plane in Plane:
        families = [family for family in catalog.of(Family) if family.plane is plane]
        if families:
            parts.append(f"**{plane.value.replace('_', ' ').capitalize()}**\n\n" + _table(
                ("metric", "type", "labels", "on", "meaning", "rows"),
                (
                    (
                        f"`{f.name}`", _type(f), " ".join(f"`{label}`" for label in f.label_names), _where(f), _help(f),
                        _rows(f),
                    )
                    for f in families
                ),
            ))  # fmt: skip
    return "\n".join(parts)


def _retention(catalog: Catalog) -> str:
    return _table(
        ("key", "documented default", "what it keeps", "needed by", "rows"),
        ((f"`{r.key}`", r.documented_default, r.help, _where(r), _rows(r)) for r in catalog.of(Retention)),
    )


def _runbooks(catalog: Catalog) -> str:
    alerts = catalog.of(Alert)
    return _table(
        ("runbook", "open it when", "alerts"),
        (
            (f"[{book.name}]({book.path})", book.help, ", ".join(f"`{a.name}`" for a in alerts if a.runbook is book) or "none")
            for book in catalog.of(Runbook)
        ),
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _help(signal: Declaration) -> str:
    """What the signal says, and what may become of it where it is not stable."""
    match signal.stability:
        case Deprecated(replaced_by=name):
            return f"{signal.help} *Deprecated: use `{name}`.*"
        case Stability.EXPERIMENTAL:
            return f"{signal.help} *Experimental.*"
    return signal.help


def _where(signal: Declaration) -> str:
    return ", ".join(signal.components) or "all"


def _rows(signal: Declaration) -> str:
    return ", ".join(signal.serves)


def _type(family: Family[...]) -> str:
    return next(kind.__name__.lower() for kind in (Counter, Histogram, Gauge) if isinstance(family, kind))


def _bound(label: Label) -> str:
    if label.domain is Domain.BUDGETED:
        return f"at most {label.at_most}, then `_other`"
    return f"closed, {len(label.values)}" if label.values else f"closed, at most {label.at_most} a family"
