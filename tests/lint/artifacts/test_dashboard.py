"""Every query of a Grafana dashboard is found wherever Grafana keeps one, with its variables filled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from obslib.catalog.platform import PLATFORM
from obslib.lint.artifacts import Document, check_texts

PROMETHEUS = {"type": "prometheus", "uid": "${source}"}
GOOD, BAD = "sum(loop_healthy)", "sum(loop_helthy)"


def found(dashboard: Any) -> list[str]:
    """The codes that are reported about a dashboard."""
    return [each.code for each in check_texts(PLATFORM, dashboards=[Document("d.json", json.dumps(dashboard))]).findings]


def panel(expr: str = GOOD, legend: str = "", **more: Any) -> dict[str, Any]:
    """A panel with one query."""
    return {"type": "timeseries", "title": "P", "targets": [{"expr": expr, "legendFormat": legend}], **more}


def variable(kind: str, query: Any, name: str = "v", **more: Any) -> dict[str, Any]:
    """One entry of a dashboard's templating."""
    return {"name": name, "type": kind, "query": query, **more}


def places(expr: str) -> dict[str, Any]:
    """A dashboard with the same query wherever one can be."""
    return {
        "a panel": {"panels": [panel(expr)]},
        "a row": {"panels": [{"type": "row", "panels": [panel(expr)]}]},
        "a row of long ago": {"rows": [{"panels": [panel(expr)]}]},
        "a wrapped dashboard": {"meta": {}, "dashboard": {"panels": [panel(expr)]}},
        "a library panel": {"panels": [], "__elements": {"u": {"kind": 1, "model": panel(expr)}}},
        "a library panel alone": {"name": "P", "model": panel(expr)},
        "an annotation": {"annotations": {"list": [{"datasource": PROMETHEUS, "expr": expr}]}, "panels": []},
        "an annotation of today": {
            "annotations": {"list": [{"datasource": PROMETHEUS, "target": {"expr": expr}}]},
            "panels": [],
        },
        "a variable": {"templating": {"list": [variable("query", f"query_result({expr})")]}},
        "a variable of today": {"templating": {"list": [variable("query", {"query": f"query_result({expr})", "refId": "A"})]}},
        "a mixed panel": {
            "panels": [{"datasource": {"uid": "-- Mixed --"}, "targets": [{"datasource": PROMETHEUS, "expr": expr}]}]
        },
        "a panel over a named source": {"panels": [panel(expr, datasource="Prometheus")]},
    }


@pytest.mark.parametrize("where", places(""))
def test_a_query_is_found_wherever_grafana_keeps_it(where: str) -> None:
    """A misspelt metric is reported in each place, and a right one in none."""
    assert found(places(BAD)[where]) == ["OBS622"]
    assert found(places(GOOD)[where]) == []


def test_what_asks_somebody_else_is_left_alone() -> None:
    """Loki's queries, Grafana's own expressions, another panel's data, a text."""
    others = [{"type": "loki"}, {"type": "__expr__"}, "-- Grafana --", "-- Dashboard --", {"type": "tempo", "uid": "x"}]
    assert found({"panels": [panel("{app=`x`} |= 1", datasource=each) for each in others]}) == []
    assert found({"panels": [{"type": "text", "title": "Read me", "targets": [{}]}]}) == []


@pytest.mark.parametrize(
    ("dashboard", "code"),
    [
        ({"panels": [panel("")]}, "OBS621"),
        ({"panels": [{"title": "P", "targets": [{"refId": "A"}]}]}, "OBS621"),
        ({"panels": [panel("sum(")]}, "OBS621"),
        ({"panels": [{"title": "P", "libraryPanel": {"uid": "u", "name": "n"}}]}, "OBS623"),
        ({"panels": [panel("min(loop_healthy)", "{{loop}}")]}, "OBS628"),
        ({"templating": {"list": [variable("query", "label_values(loop_healthy, lop)")]}}, "OBS628"),
        ({"templating": {"list": [variable("query", "label_values(lop)")]}}, "OBS628"),
        ({"templating": {"list": [variable("query", "label_values(loop_helthy, loop)")]}}, "OBS622"),
        ({"templating": {"list": [variable("query", {"qryType": 1})]}}, "OBS621"),
        ({"title": "nothing"}, "OBS601"),
        ([], "OBS601"),
    ],
)
def test_what_cannot_be_followed_is_reported(dashboard: Any, code: str) -> None:
    """No query, none that can be read, one that is kept elsewhere, a label that is lost, no dashboard at all."""
    assert found(dashboard) == [code]


def test_labels_that_are_there_are_no_news() -> None:
    """Legends and label_values over labels that the results carry."""
    listed = [
        variable("query", text)
        for text in ("label_values(loop_healthy{loop='scheduler'}, component)", "label_values(job)", "metrics(loop.*)")
    ]
    panels = [
        panel("min by (loop) (loop_healthy)", "{{loop}} of {{ loop }}"),
        panel("loop_healthy", "{{instance}}"),
        panel(legend="__auto"),
    ]
    assert found({"panels": panels, "templating": {"list": listed}}) == []


RESULTS = variable("custom", "success,failure : failure", "result")
FAMILIES = variable("custom", "loop_healthy, loop_helthy", "family")
LABELS = variable("custom", "loop,component", "by")
NODES = variable("query", "label_values(agent_instances_desired, node_id)", "node")
SPANS = variable("interval", "1m,5m", "span")
LIMIT = variable("textbox", "5", "limit")
FREE = variable("textbox", "", "free")
MANY = variable("custom", ",".join(["loop_healthy"] * 65), "many")


@pytest.mark.parametrize(
    ("expr", "codes"),
    [
        ("rate(loop_errors_total[$__rate_interval])", []),
        ("increase(loop_errors_total[${__range}])", []),
        ("increase(loop_errors_total[${__range_s}s])", []),
        ("rate(loop_errors_total[$span])", []),
        ("rate(loop_errors_total[[[span]]]) > 0", []),
        ("rate(loop_errors_total[5m] offset $span)", []),
        ('agent_instances_desired{node_id=~"$node"}', []),
        ('agent_instances_desired{node_id=~"${node:regex}", instance=~"[[node]].*"}', []),
        ('agent_instances_desired{nod_id=~"$node"}', ["OBS624"]),
        ('loop_iterations_total{result="$result"}', []),
        ("topk($limit, loop_healthy)", []),
        ("loop_healthy > $limit", []),
        ("loop_healthy > $free", []),
        ("sum by ($by) (loop_healthy)", []),
        ("sum by ($by) (loop_healthy) or sum by ($node) (loop_healthy)", ["OBS623"]),
        ("sum by (${by}_id) (loop_healthy)", ["OBS624", "OBS624"]),
        ("sum($family)", ["OBS622"]),
        ("sum(rate($node[5m]))", ["OBS623"]),
        ("sum($many)", ["OBS623"]),
        ('up{job=~"$many"}', []),
        ("sum(${node}_total)", ["OBS623"]),
        ('up{job="$nobody"}', ["OBS623"]),
        ('label_replace(up, "a", "$1", "job", "(.*)")', []),
        ('label_replace(up, "a", "$x", "job", "(?P<x>.*)")', []),
        ('sum(loop_helthy{component="$node"})', ["OBS622"]),
    ],
)
def test_variables_are_filled_before_a_query_is_judged(expr: str, codes: list[str]) -> None:
    """Spans, numbers, quoted values stand in; names are tried under each listed value; what only Grafana knows is told."""
    board = {"panels": [panel(expr)], "templating": {"list": [RESULTS, FAMILIES, LABELS, NODES, SPANS, LIMIT, FREE, MANY]}}
    assert found(board) == codes


def test_the_caret_is_under_the_word_despite_variables_and_escapes() -> None:
    """Line and column are those of the file, with quotes escaped and variables of other lengths before the word."""
    expr = 'sum(loop_healthy{component=~"${node:regex}"}) / rate(loop_errors_total[$__rate_interval]) > sum(loop_helthy)'
    text = json.dumps({"panels": [panel(expr)], "templating": {"list": [NODES]}}, indent=2)
    (finding,) = check_texts(PLATFORM, dashboards=[Document("d.json", text)]).findings
    line = text.splitlines()[finding.place.line - 1]
    assert line[finding.place.column - 1 : finding.place.end_column - 1] == "loop_helthy"
