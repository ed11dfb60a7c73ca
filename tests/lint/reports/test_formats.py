"""Programs read the same findings, each in the words of its own format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from obslib.lint import Edit, Finding, Page, Place
from obslib.lint.linter import Outcome
from obslib.lint.reports import github, json_document, sarif
from obslib.lint.rulebook import Entry

PAGE = Page(summary="A raw value.", why="Each value is a series for ever.", fix="Log it instead.")
RULES = {"OBS103": Entry(code="OBS103", name="raw-label", page=PAGE)}
PLACE = Place(line=2, column=5, end_line=2, end_column=9)


def outcome(root: Path, *, path: str = "pkg/ä b.py", text: str = "\nx = user\n") -> Outcome:
    """One finding with a repair, one over two lines of a rule that nobody explains."""
    file = str(root / path)
    wide = Place(line=1, column=1, end_line=2, end_column=2)
    return Outcome(
        findings=(
            Finding(path=file, place=wide, code="OBS999", message="a: 100%,\nb"),
            Finding(path=file, place=PLACE, code="OBS103", message="label 'user'", edits=(Edit(place=PLACE, text="route"),)),
        ),
        texts={file: text},
        files=2,
        suppressed=1,
    )


def test_json_is_the_documented_schema(tmp_path: Path) -> None:
    """Everything a program needs, and each rule explained once."""
    document = json.loads(json.dumps(json_document(outcome(tmp_path), RULES)))
    file = str(tmp_path / "pkg/ä b.py")
    place = {"line": 2, "column": 5, "end_line": 2, "end_column": 9}
    assert document == {
        "schema": "obslib.lint/1",
        "summary": {"files": 2, "findings": 2, "suppressed": 1},
        "findings": [
            {
                "path": file, "line": 1, "column": 1, "end_line": 2, "end_column": 2, "code": "OBS999", "name": "",
                "message": "a: 100%,\nb", "edits": [],
            },
            {
                "path": file, **place, "code": "OBS103", "name": "raw-label", "message": "label 'user'",
                "edits": [{**place, "text": "route"}],
            },
        ],
        "rules": {"OBS103": {"name": "raw-label", "summary": PAGE.summary, "why": PAGE.why, "fix": PAGE.fix}},
    }  # fmt: skip


def test_github_reads_each_command_whole(tmp_path: Path) -> None:
    """What would end a property or a command is escaped; a finding over several lines has no columns."""
    wide, narrow = github(outcome(tmp_path, path="a,b:c%.py"), RULES)
    assert wide == f"::error file={tmp_path}/a%2Cb%3Ac%25.py,line=1,endLine=2,title=OBS999::a: 100%25,%0Ab"
    assert narrow == (
        f"::error file={tmp_path}/a%2Cb%3Ac%25.py,line=2,endLine=2,col=5,endColumn=9,title=OBS103 raw-label::label 'user'"
    )


def run_of(document: dict[str, Any]) -> dict[str, Any]:
    """The run, after what SARIF 2.1.0 requires of log, run, tool, rule, result, location, region and fix was checked."""
    assert set(document) == {"$schema", "version", "runs"}
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])
    for rule in driver["rules"]:
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
        assert ":" in rule["helpUri"]
    for base in run["originalUriBaseIds"].values():
        assert base["uri"].startswith("file:///")
        assert base["uri"].endswith("/")
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["level"] in ("none", "note", "warning", "error")
        if "ruleIndex" in result:
            assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
        for location in result["locations"]:
            check_region(location["physicalLocation"]["region"])
            check_artifact(location["physicalLocation"]["artifactLocation"], run)
        for fix in result.get("fixes", ()):
            for change in fix["artifactChanges"]:
                check_artifact(change["artifactLocation"], run)
                assert change["replacements"]
                for replacement in change["replacements"]:
                    check_region(replacement["deletedRegion"])
    return dict(run)


def check_region(region: dict[str, int]) -> None:
    """Lines and columns count from 1, and the end is not before the start."""
    assert min(region.values()) >= 1
    assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])


def check_artifact(artifact: dict[str, str], run: dict[str, Any]) -> None:
    """A URI reference in ASCII; relative ones have a base that the run defines."""
    assert artifact["uri"].isascii()
    assert " " not in artifact["uri"]
    if "uriBaseId" in artifact:
        assert artifact["uriBaseId"] in run["originalUriBaseIds"]
        assert not artifact["uri"].startswith(("/", "file:"))


def test_sarif_is_what_its_schema_requires(tmp_path: Path) -> None:
    """Rules with help, results with places and fixes, files relative to the root and outside it."""
    run = run_of(json.loads(json.dumps(sarif(outcome(tmp_path), RULES, root=tmp_path))))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["OBS103"]
    result = run["results"][1]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "pkg/%C3%A4%20b.py"
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement["insertedContent"] == {"text": "route"}
    outside = run_of(sarif(outcome(tmp_path), RULES, root=tmp_path / "pkg" / "deeper"))
    assert outside["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")


def test_a_defect_is_the_same_after_lines_were_added_above(tmp_path: Path) -> None:
    """Reviewers are shown what is new; two alike in one file stay two."""
    before = outcome(tmp_path)
    finding = before.findings[1]
    lower = Place(line=4, column=5, end_line=4, end_column=9)
    moved = Finding(path=finding.path, place=lower, code=finding.code, message=finding.message)
    after = Outcome(findings=(moved, moved), texts={finding.path: "\n\n\nx = user\n"}, files=1)
    prints = [
        [result["partialFingerprints"]["obslibLint/v1"] for result in sarif(each, RULES, root=tmp_path)["runs"][0]["results"]]
        for each in (before, after)
    ]
    assert prints[0][1] == prints[1][0]
    assert len(set(prints[1])) == 2


def test_a_name_that_is_no_text_can_be_told(tmp_path: Path) -> None:
    """A file whose name is bytes of another age breaks no format."""
    odd = outcome(tmp_path, path="a\udce4.py")
    json.dumps(json_document(odd, RULES))
    run_of(sarif(odd, RULES, root=tmp_path))
