"""The dashboards, declared on metric objects; ``obslib build`` renders them as Grafana JSON, one folder a plane."""

from __future__ import annotations

from obslib.catalog.declaration import Plane
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.promql import Window, query
from obslib.catalog.upkeep import Dashboard, Panel

_WINDOW = Window(300.0)

PROJECTIONS = Dashboard(
    name="projections", title="Projection lag", uid="obs-projections", version=1, plane=Plane.CONTROL_PLANE,
    help="How far each projection is behind the events it consumes, and what holds it up.",
    serves=("DBG-2-04", "DBG-2-02"),
    panels=(
        Panel(
            title="Lag", unit="short", legend="{{projection}}", help="Event ids behind; 5 000 is a ticket, 50 000 a page.",
            query=query("max by (projection) ($lag)", lag=cp.PROJECTION_LAG),
        ),
        Panel(
            title="Lag in time", unit="s", legend="{{projection}}", help="Age of the oldest event not yet applied.",
            query=query("max by (projection) ($lag)", lag=cp.PROJECTION_LAG_SECONDS),
        ),
        Panel(
            title="Last applied event", unit="none", legend="{{projection}}",
            help="Checkpoints. A flat line beside a growing lag is a stuck projection; beside no lag it is a quiet one.",
            query=query("max by (projection) ($applied)", applied=cp.PROJECTION_LAST_APPLIED),
        ),
        Panel(
            title="Processing time, 95th percentile", unit="s", legend="{{event_type}}",
            help="Time to apply one event, by type: the family has no projection label, so that it stays in its budget.",
            query=query(
                "histogram_quantile(0.95, sum by (le, event_type) (rate($processing_bucket[$window])))",
                processing=cp.PROJECTION_PROCESSING, window=_WINDOW,
            ),
        ),
        Panel(
            title="Errors", unit="ops", legend="{{projection}} {{error_class}}",
            help="Events that could not be applied. The checkpoint stays before the event, so lag follows.",
            query=query(
                "sum by (projection, error_class) (rate($errors[$window]))", errors=cp.PROJECTION_ERRORS, window=_WINDOW
            ),
        ),
    ),
)  # fmt: skip
