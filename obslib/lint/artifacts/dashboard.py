"""Grafana dashboards: the questions of panels, rows, library panels, annotations and variables.

Read as Grafana exports them, bare or wrapped by its API. What asks another data source than Prometheus is not ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from obslib.lint.artifacts.document import Document, Malformed
from obslib.lint.artifacts.question import Asked, Question, Reference, Text
from obslib.lint.artifacts.tree import Node, read_json
from obslib.lint.artifacts.variables import Variables

__all__ = ["is_dashboard", "read_dashboard"]

_PARTS = ("panels", "rows", "templating", "annotations")
_WITHOUT_QUERY = ("row", "text")
_LEGEND = re.compile(r"\{\{\s*(?P<label>[a-zA-Z_]\w*)\s*\}\}")
_LABEL_VALUES = re.compile(r"\s*label_values\(\s*(?:(?P<query>.+),)?\s*(?P<label>[a-zA-Z_]\w*)\s*\)\s*\Z", re.DOTALL)
_RESULT = re.compile(r"\s*query_result\((?P<query>.+)\)\s*\Z", re.DOTALL)
_OTHER_LISTS = re.compile(r"\s*(?:label_names\(.*\)|metrics\(.*\))\s*\Z", re.DOTALL)


def is_dashboard(root: Node) -> bool:
    """Whether a JSON value is meant as one: other files may lie beside them."""
    inner = root.get("dashboard") or root
    return any(inner.get(part) is not None for part in _PARTS) or inner.get("model", "targets") is not None


def read_dashboard(document: Document) -> tuple[Question, ...]:
    """Every question of a dashboard; raises Malformed."""
    root = read_json(document)
    if not is_dashboard(root):
        raise Malformed("this is no dashboard: it has neither panels nor rows nor variables", root.place)
    dashboard = root.get("dashboard") or root
    variables = Variables.of(dashboard)
    questions = list(_variable_questions(dashboard, variables))
    for panel in _panels(dashboard):
        questions += _panel_questions(panel, dashboard, variables)
    for annotation in dashboard.items("annotations", "list"):
        questions += _target_questions(annotation, annotation, "annotation", variables)
    return tuple(questions)


def _panels(node: Node) -> Iterator[Node]:
    """Every panel, those in rows and those of library elements too."""
    for panel in node.items("panels"):
        yield panel
        yield from _panels(panel)
    for row in node.items("rows"):
        yield from _panels(row)
    elements = node.get("__elements")
    for _, element in elements.named() if elements is not None else ():
        model = element.get("model")
        yield from [model] if model is not None else []
    model = node.get("model") if node.get("panels") is None else None
    yield from [model] if model is not None else []


def _panel_questions(panel: Node, dashboard: Node, variables: Variables) -> Iterator[Question]:
    kind, title = panel.get("type"), panel.get("title")
    if kind is not None and kind.text in _WITHOUT_QUERY:
        return
    where = f"panel {title.text!r}" if title is not None and title.text else "a panel without title"
    library = panel.get("libraryPanel", "uid")
    if library is not None and panel.get("targets") is None and dashboard.get("__elements", library.text) is None:
        said = "its queries are in a library panel that is not part of this file; export the dashboard for sharing externally"
        yield Question(where=where, node=library, text=Text(""), unresolved=(Asked(said, library.place),))
    for target in panel.items("targets"):
        yield from _target_questions(target, panel, where, variables)


def _target_questions(target: Node, around: Node, where: str, variables: Variables) -> Iterator[Question]:
    if not _is_prometheus(target, around):
        return
    for name in ("expr", "query"):
        asked = target.get(name) or target.get("target", name)
        if asked is not None and isinstance(asked.value, str):
            legend = target.get("legendFormat")
            yield from _questions(where, asked, variables, _legend(legend) if legend is not None else ())
            return
    if target is not around:
        yield Question(where=where, node=target, text=Text(""), failure="there is no query")


def _is_prometheus(target: Node, around: Node) -> bool:
    """Whether a query goes to Prometheus; the data source that is not named is taken for one."""
    for node in (target, around):
        source = node.get("datasource")
        if source is not None:
            kind, uid = source.get("type") or source, source.get("uid")
            if not (uid is not None and uid.text.startswith("-- Mixed")):
                return kind.text == "prometheus" or (not source.is_mapping and not kind.text.startswith("-- "))
    return target is not around or target.get("expr") is not None


def _legend(legend: Node) -> tuple[Reference, ...]:
    found = _LEGEND.finditer(legend.text)
    return tuple(Reference(each["label"], legend.place_of(*each.span("label"))) for each in found)


def _questions(
    where: str, node: Node, variables: Variables, references: tuple[Reference, ...], within: tuple[int, int] | None = None
) -> Iterator[Question]:
    texts, lost = variables.fill(node, within)
    if lost:
        yield Question(where=where, node=node, text=Text(""), unresolved=tuple(lost))
    for text in texts:
        yield Question.of(where, node, text, references=references)


def _variable_questions(dashboard: Node, variables: Variables) -> Iterator[Question]:
    for variable in dashboard.items("templating", "list"):
        kind, name = variable.get("type"), variable.get("name")
        query = variable.get("query", "query") or variable.get("query")
        if kind is None or kind.text != "query" or query is None or not _is_prometheus(variable, dashboard):
            continue
        where = f"variable {name.text if name is not None else ''!r}"
        if not isinstance(query.value, str):
            yield Question(where=where, node=query, text=Text(""), failure="there is no query")
        else:
            yield from _of_variable(where, query, variables)


def _of_variable(where: str, query: Node, variables: Variables) -> Iterator[Question]:
    values = _LABEL_VALUES.match(query.text)
    result = _RESULT.match(query.text)
    if values is not None:
        wanted = (Reference(values["label"], query.place_of(*values.span("label"))),)
        if values["query"] is None:
            yield replace(Question(where=where, node=query, text=Text("")), references=wanted)
        else:
            yield from _questions(where, query, variables, wanted, values.span("query"))
    elif result is not None:
        yield from _questions(where, query, variables, (), result.span("query"))
    elif not _OTHER_LISTS.match(query.text):
        yield from _questions(where, query, variables, ())
