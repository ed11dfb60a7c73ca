"""What this repository renders asks only for what there is, and nothing in it can be renamed unnoticed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from obslib.catalog import Alert, Dashboard, Family
from obslib.catalog.platform import PLATFORM
from obslib.lint.artifacts import Document, check_artifacts, check_texts
from obslib.lint.artifacts.carried import Carried
from obslib.lint.artifacts.names import Known, Names
from obslib.lint.artifacts.rules import impossible_value, unresolved_label
from obslib.render import grafana, rule_file

SPECS = Path(__file__).parents[3] / "specs" / "generated"
FAMILIES = {family.name: family for family in PLATFORM.of(Family)}
WORD = re.compile(r"[a-zA-Z_]\w*")


def codes(text: str, kind: str) -> set[str]:
    """What is reported about a rule file or a dashboard."""
    documents = [Document("given", text)]
    found = check_texts(PLATFORM, rules=documents) if kind == "rules" else check_texts(PLATFORM, dashboards=documents)
    return {finding.code for finding in found.findings}


def test_the_rendered_specs_are_clean() -> None:
    """Every alert and every panel, found in the folders as a reviewer would name them."""
    checked = check_artifacts(PLATFORM, rules=[str(SPECS)], dashboards=[str(SPECS)])
    assert checked.findings == ()
    assert len(checked.texts) == 1 + len(PLATFORM.of(Dashboard))


def renamed(text: str) -> Iterator[tuple[str, str, str]]:
    """The text with one metric, one grouping label or one closed value spelt otherwise, the code it is due, and which."""
    for name in sorted(set(WORD.findall(text)) & {word for family in FAMILIES for word in (family, f"{family}_bucket")}):
        yield re.sub(rf"\b{name}\b", name.replace("_", "_x", 1), text), "OBS622", name
    for label in sorted(set(re.findall(r"\bby \((\w+)\)", text)) - {"le"}):
        yield re.sub(rf"\bby \({label}\)", f"by ({label}s)", text), "OBS624", label
    for label, value in sorted(set(re.findall(r'(result|loop)=\\?"(\w+)\\?"', text))):
        yield re.sub(rf'({label}=\\?"){value}', rf"\1{value}x", text), "OBS625", f"{label}={value}"


def passed(step: int = 1) -> Iterator[str]:
    """Whatever can be renamed in the rendered files, or each ``step``-th of it, and is not noticed."""
    texts = [("rules", rule_file(PLATFORM)), *(("dashboards", grafana(board)) for board in PLATFORM.of(Dashboard))]
    for kind, text in texts:
        some = itertools.islice(renamed(text), 0, None, step)
        yield from (what for changed, code, what in some if code not in codes(changed, kind))


def test_nothing_in_the_rendered_files_can_be_renamed_unnoticed() -> None:
    """Metrics, labels that are grouped by, results: another spelling of some of each is reported."""
    assert list(passed(4)) == []
    assert len(list(renamed(rule_file(PLATFORM)))) > len(PLATFORM.of(Alert))


@pytest.mark.slow
def test_nothing_at_all_in_them_can_be_renamed_unnoticed() -> None:
    """The same with all of them."""
    assert list(passed()) == []


def knows(self: Names, name: str) -> Known:
    """A broken look-up: every name is one that carries anything."""
    return Known(name=name, carried=Carried.anything())


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "an undeclared metric is taken for one": (Names, "find", knows),
    "no label is missed": (unresolved_label, "_groupings", lambda question, names: ()),
    "every value is possible": (impossible_value, "_wrong", lambda known, matcher: ""),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutant_a_check_that_lets_a_renaming_pass_is_found(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With any of these broken, some renaming goes unnoticed, so the test above can fail."""
    monkeypatch.setattr(*MUTANTS[mutant])
    assert next(passed(), "")


def test_documents_are_checked_together_and_told_in_order() -> None:
    """A dashboard may ask for what a rule file of the same run records; findings are sorted by name and place."""
    rules = "groups:\n  - name: a\n    rules:\n      - {record: 'loops:healthy', expr: min by (loop) (loop_healthy)}\n"
    board = '{"panels": [{"targets": [{"expr": "loops:healthy == 0", "legendFormat": "{{loop}}"}]}]}'
    given = {"rules": [Document("z.yml", rules)], "dashboards": [Document("a.json", board)]}
    assert check_texts(PLATFORM, **given).findings == ()
    broken = {
        "rules": [Document("z.yml", rules.replace("min", "nim"))],
        "dashboards": [Document("a.json", board.replace("=", "?"))],
    }
    assert [(each.path, each.code) for each in check_texts(PLATFORM, **broken).findings] == [
        ("a.json", "OBS621"),
        ("z.yml", "OBS621"),
    ]


def test_anything_in_the_place_of_a_document_is_answered() -> None:
    """Every rendered file cut off anywhere is one finding or none, never an exception."""
    for kind, text in (("rules", rule_file(PLATFORM)), ("dashboards", grafana(PLATFORM.of(Dashboard)[0]))):
        for end in range(0, len(text), max(len(text) // 25, 1)):
            assert codes(text[:end], kind) <= {"OBS601", "OBS621", "OBS624", "OBS622", "OBS625", "OBS628"}
