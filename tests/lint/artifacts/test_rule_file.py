"""Every question that a rule file asks is found, those of its templates too, and what it records is known to the others."""

from __future__ import annotations

import pytest

from obslib.catalog.platform import PLATFORM
from obslib.lint.artifacts import Document, check_texts
from obslib.lint.finding import Finding

LOOPS = """\
groups:
  - name: loops
    rules:
      - record: component:loop_errors:rate5m
        expr: sum by (component) (rate(loop_errors_total[5m]))
        labels: {team: core}
      - alert: LoopsFail
        expr: |
          component:loop_errors:rate5m
            > 1
        labels: {severity: page, what: '{{ $labels.team }}'}
        annotations:
          summary: >-
            {{ $labels.component }} fails
            {{ with query "sum(loop_healthy{loop='scheduler'})" }}{{ . | first | value }}{{ end }}
"""


def found(*texts: str) -> list[tuple[int, int, str, str]]:
    """Line, column, code and sentence of what is reported about rule files that are checked together."""
    documents = [Document(f"{number}.yml", text) for number, text in enumerate(texts)]
    return [(f.place.line, f.place.column, f.code, f.message) for f in check_texts(PLATFORM, rules=documents).findings]


def test_rules_that_ask_for_what_there_is_are_clean() -> None:
    """Alerts over recorded names, labels that a rule adds, block scalars, templates with queries of their own."""
    assert found(LOOPS) == []


@pytest.mark.parametrize(
    ("was", "becomes", "reported"),
    [
        ("by (component) (rate", "by (components) (rate", {"OBS624", "OBS628"}),
        ("component:loop_errors:rate5m\n            > 1", "component:loop_error:rate5m\n            > 1", {"OBS622"}),
        ("$labels.component", "$labels.node", {"OBS628"}),
        ("$labels.team", "$labels.squad", {"OBS628"}),
        ("loop='scheduler'", "loop='sheduler'", {"OBS625"}),
        ("sum(loop_healthy", "sum(loop_helthy", {"OBS622"}),
        ("sum(loop_healthy{", "sum(loop_healthy{{", {"OBS621"}),
        ("rate(loop_errors_total[5m])", "loop_errors_total[5m]", {"OBS621"}),
        ("        labels: {team: core}\n", "", {"OBS628"}),
    ],
)
def test_whatever_is_wrong_in_them_is_found(was: str, becomes: str, reported: set[str]) -> None:
    """A lost grouping, a misspelt record, a lost label, a wrong value in a template's query."""
    assert was in LOOPS
    assert {code for _, _, code, _ in found(LOOPS.replace(was, becomes))} == reported


def test_the_caret_is_under_the_word_in_a_block_scalar() -> None:
    """Line and column are those of the file."""
    text = LOOPS.replace("component:loop_errors:rate5m\n            > 1", "sum(loop_healthy)\n            > loop_helthy")
    assert found(text)[0] == (
        10, 15, "OBS622", "alert 'LoopsFail' asks for 'loop_helthy', which no series can have; did you mean 'loop_healthy'?",
    )  # fmt: skip


def test_what_one_file_records_is_known_to_another() -> None:
    """Files that are named together are read together; alone, the second asks for what nobody records."""
    record, alert = LOOPS.split("      - alert")
    alert = "groups:\n  - name: alerts\n    rules:\n      - alert" + alert
    assert found(record, alert) == found(alert, record) == []
    assert {code for _, _, code, _ in found(alert)} == {"OBS622"}


def test_rules_that_record_each_other_have_an_end() -> None:
    """A circle of recorded names is followed once."""
    rule = "      - {{record: 'a:{0}', expr: 'sum by (x) (a:{1})'}}\n"
    assert found("groups:\n  - name: a\n    rules:\n" + rule.format("b", "c") + rule.format("c", "b")) == []


def test_the_operators_kind_of_file_is_read_too() -> None:
    """A PrometheusRule holds the groups in its spec."""
    inner = "".join(f"  {line}\n" for line in LOOPS.splitlines())
    assert found(f"kind: PrometheusRule\nspec:\n{inner}") == []
    assert found(f"kind: PrometheusRule\nspec:\n{inner.replace('loop_healthy', 'loop_helthy')}")[0][2] == "OBS622"


def test_a_finding_is_told_once() -> None:
    """The same word wrong twice in one place is one finding; in two places two."""
    text = "groups:\n  - name: a\n    rules:\n      - {record: 'a:b', expr: 'nope / nope'}\n"
    findings: tuple[Finding, ...] = check_texts(PLATFORM, rules=[Document("r", text)]).findings
    assert [finding.place.column for finding in findings] == [32, 39]
