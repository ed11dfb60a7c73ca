"""Rule files of Prometheus: the questions their alerts and recording rules ask, and the labels their templates want.

A ``PrometheusRule`` of the operator is read by its ``spec``. What is not shaped like a rule file is Malformed at the first
place that is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from obslib.lint.artifacts.document import Document, Malformed
from obslib.lint.artifacts.question import Question, Reference, Text
from obslib.lint.artifacts.tree import Node, read_yaml

__all__ = ["RecordedRule", "RuleFile", "is_rule_file", "read_rule_file"]

_ACTION = re.compile(r"\{\{(?P<inside>.*?)\}\}", re.DOTALL)
_LABEL = re.compile(r"""(?:\$labels|\.Labels)\.(?P<dotted>\w+)|index\s+(?:\$labels|\.Labels)\s+"(?P<quoted>\w+)\"""")
_QUERY = re.compile(r"""\bquery\s+(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|`(?P<raw>[^`]*)`)""")
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class RecordedRule:
    """A name that a rule records, and the question whose answer it is."""

    name: str
    question: Question


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What one rule file asks and what it records."""

    questions: tuple[Question, ...]
    recorded: tuple[RecordedRule, ...]


def is_rule_file(root: Node) -> bool:
    """Whether a YAML document is meant as one: other files may lie beside them."""
    return root.get("groups") is not None or root.get("spec", "groups") is not None


def read_rule_file(document: Document) -> RuleFile:
    """Every question of a rule file; raises Malformed."""
    root = read_yaml(document)
    inner = root.get("spec") if root.get("spec", "groups") is not None else root
    groups = inner.get("groups") if inner is not None else None
    if groups is None or not isinstance(groups.value, list):
        raise Malformed("this is no rule file: it has no list 'groups'", root.place if groups is None else groups.place)
    questions: list[Question] = []
    recorded: list[RecordedRule] = []
    for group in groups.value:
        for rule in _rules(group):
            asked = _asked(rule)
            name = rule.get("record")
            if name is not None:
                recorded.append(RecordedRule(name.text, asked))
            questions += [asked, *_inner_questions(rule, asked.where)]
    return RuleFile(tuple(questions), tuple(recorded))


def _rules(group: Node) -> Iterator[Node]:
    rules = group.get("rules")
    if group.get("name") is None or (rules is not None and not isinstance(rules.value, list)):
        raise Malformed("this is no rule file: a group has a 'name' and a list 'rules'", group.place)
    for rule in group.items("rules"):
        if (rule.get("alert") is None) == (rule.get("record") is None) or rule.get("expr") is None:
            raise Malformed("a rule has an 'expr' and either 'alert' or 'record'", rule.place)
        yield rule


def _asked(rule: Node) -> Question:
    expression, alert, record = rule.get("expr"), rule.get("alert"), rule.get("record")
    assert expression is not None
    where = f"alert {alert.text!r}" if alert is not None else f"recording rule {record.text if record else ''!r}"
    own = rule.get("labels")
    return Question.of(
        where, expression, references=tuple(_references(rule)), is_alert=alert is not None,
        own_labels=frozenset(name for name, _ in own.named()) if own is not None else frozenset(),
    )  # fmt: skip


def _templates(rule: Node) -> Iterator[tuple[Node, int, str]]:
    """Each template action of a rule: the node it stands in, its offset there, and its text."""
    for part in ("labels", "annotations"):
        listed = rule.get(part)
        for _, node in listed.named() if listed is not None else ():
            for action in _ACTION.finditer(node.text):
                yield node, action.start("inside"), action["inside"]


def _references(rule: Node) -> Iterator[Reference]:
    for node, at, inside in _templates(rule):
        for found in _LABEL.finditer(inside):
            kind = "dotted" if found["dotted"] else "quoted"
            yield Reference(found[kind], node.place_of(at + found.start(kind), at + found.end(kind)))


def _inner_questions(rule: Node, where: str) -> Iterator[Question]:
    """The queries that templates ask themselves."""
    for node, at, inside in _templates(rule):
        for found in _QUERY.finditer(inside):
            kind = "raw" if found["raw"] is not None else "quoted"
            begun = at + found.start(kind)
            origin = [begun + each for each in range(len(found[kind]))]
            if kind == "quoted":
                escapes = {match.start() for match in _ESCAPE.finditer(found[kind])}
                origin = [each for each in origin if each - begun not in escapes]
            written = "".join(node.text[each] for each in origin)
            yield Question.of(f"a template of {where}", node, Text(written, tuple(origin)))
