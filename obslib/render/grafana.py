"""A declared dashboard as the JSON that Grafana imports: time series in two columns, over one Prometheus variable."""

from __future__ import annotations

import json
from typing import Any

from obslib.catalog.upkeep import Dashboard, Panel, Variable

__all__ = ["grafana"]

_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 2
_SCHEMA = 37  # Grafana 9
_SOURCES = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
_SOURCE = {"type": "prometheus", "uid": "${source}"}


def grafana(dashboard: Dashboard) -> str:
    """The dashboard's JSON; panel ids and places follow from the order the panels are declared in."""
    content = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.help,
        "tags": ["obslib", dashboard.plane.value],
        "version": dashboard.version,
        "schemaVersion": _SCHEMA,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_SOURCES, *map(_variable, dashboard.variables)]},
        "panels": [_panel(number, panel) for number, panel in enumerate(dashboard.panels)],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values({variable.metric.name}, {variable.label})",
        "refresh": 2,  # when the range of time changes, so that what came or went is noticed
        "sort": 1,
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.help,
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": "A", "datasource": _SOURCE, "expr": panel.query.render(), "legendFormat": panel.legend},
        ],
    }
