"""OBS628: a template or a legend wants a label that the result does not carry."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.artifacts.rule import Fault, Form, QueryRule

__all__ = ["LostLabel"]


class LostLabel(QueryRule):
    """An annotation, a legend or a variable wants a label that the result of its query does not carry.

    Why: the page says "node  is down" without the node, at the moment when somebody needs the name.

    Fix: keep the label in the query's ``by``, or do not mention it.
    """

    code = "OBS628"
    name = "lost-label"
    form = Form.RULE_FILE
    good = (
        """\
groups:
  - name: loops
    rules:
      - alert: LoopWedged
        expr: min by (loop) (loop_healthy) == 0
        annotations: {summary: 'Loop {{ $labels.loop }} is stuck at {{ $value }}.'}
""",
        """\
groups:
  - name: loops
    rules:
      - alert: LoopWedged
        expr: loop_healthy == 0
        annotations: {summary: '{{ index $labels "component" }} on {{ .Labels.instance }}'}
""",
    )
    bad = (
        """\
groups:
  - name: loops
    rules:
      - alert: LoopWedged
        expr: min(loop_healthy) == 0
        annotations: {summary: 'Loop {{ $labels.loop }} is stuck.'}
""",
        """\
groups:
  - name: loops
    rules:
      - alert: LoopWedged
        expr: min by (loop) (loop_healthy) == 0
        labels: {component: '{{ $labels.component }}'}
""",
        """\
groups:
  - name: loops
    rules:
      - alert: LoopWedged
        expr: loop_healthy == 0
        annotations: {summary: '{{ index $labels "hostname" }}'}
""",
    )

    def check(self, question: Question, names: Names) -> Iterator[Fault]:
        """Each reference to what is certainly not there."""
        found = question.carried(names) if question.references else None
        for reference in question.references:
            if found is not None and reference.label not in found:
                has = ", ".join(sorted(found.labels - {"__name__"})) or "no label at all"
                said = f"{question.where} mentions label {reference.label!r}, but the result of its query carries {has}"
                yield Fault(reference.place, f"{said}; keep it in 'by', or do not mention it")
