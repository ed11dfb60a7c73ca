"""The ground floor: what may be emitted, declared once.

A declaration is inert. An ``Observability`` binds it, the linter checks uses against it, the specs are
rendered from it, and the series budget is proven from it before anything runs.
"""

from obslib.catalog.catalog import Catalog, declared_in
from obslib.catalog.common import COMMON
from obslib.catalog.declaration import Declaration, Deprecated, Plane, Stability
from obslib.catalog.families import (
    AcrossWorkers,
    Counter,
    ExternalMetric,
    Family,
    Gauge,
    Histogram,
    InstanceMetric,
    counter,
    gauge,
    histogram,
    instance_gauge,
)
from obslib.catalog.labels import OVERFLOW, Domain, Joint, Label, LabelUse, Measure, Pairs, Source
from obslib.catalog.promql import Age, Query, Window, query
from obslib.catalog.signals import (
    Check,
    Component,
    Cursor,
    Field,
    Importance,
    Level,
    LogEvent,
    Loop,
    Operation,
    ReasonSet,
    SpanKind,
    log_event,
    span_kind,
)
from obslib.catalog.upkeep import Alert, Dashboard, Panel, Retention, Rule, Runbook, Scene, Series, Severity, Variable

__all__ = [
    "COMMON", "OVERFLOW", "AcrossWorkers", "Age", "Alert", "Catalog", "Check", "Component", "Counter", "Cursor", "Dashboard",
    "Declaration", "Deprecated", "Domain", "ExternalMetric", "Family", "Field", "Gauge", "Histogram", "Importance",
    "InstanceMetric", "Joint", "Label", "LabelUse", "Level", "LogEvent", "Loop", "Measure", "Operation", "Pairs", "Panel",
    "Plane", "Query", "ReasonSet", "Retention", "Rule", "Runbook", "Scene", "Series", "Severity", "Source", "SpanKind",
    "Stability", "Variable", "Window", "counter", "declared_in", "gauge", "histogram", "instance_gauge", "log_event", "query",
    "span_kind",
]  # fmt: skip
