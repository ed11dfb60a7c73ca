"""``obslib requirements`` prints where the requirements stand, and its exit code can be built on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.outcome import Outcome, Run

SECTION = {"prefix": "OBJ", "title": "Purpose", "rows": 2}
COUNTED = {
    "id": "OBJ-01", "lines": "1-2", "kind": "metric", "requirement": "Loss is counted.", "metrics": ["log_lines_total{result}"],
    "tests": ["tests/test_loss.py::test_loss"],
}  # fmt: skip
MISSING = {
    "id": "OBJ-02",
    "source": "elsewhere",
    "kind": "command",
    "requirement": "It can be asked.",
    "open": "No command does.",
}


@pytest.fixture
def obslib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obslib: Run) -> Run:
    """Runs ``obslib requirements`` in a repository with these rows, over a catalog cut down to what they speak of."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_loss.py").write_text("def test_loss():\n    assert lost('log_lines_total')\n")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "requirements.md").write_text("| `OBJ` | Purpose | 2 |\n")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, rows: list[dict[str, Any]] | str = "") -> Outcome:
        text = rows if isinstance(rows, str) else json.dumps({"sections": [SECTION], "rows": rows}, indent=2)
        (tmp_path / "specs" / "requirements.json").write_text(text)
        return obslib("requirements", *arguments)

    return run


@pytest.fixture(autouse=True)
def small_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's catalog, with every signal serving OBJ-01: what other rows are about is not at issue here."""
    from dataclasses import replace

    from obslib.catalog import Catalog, common, platform

    serving = replace(common.LOG_LINES, serves=("OBJ-01",))
    monkeypatch.setattr(
        platform, "PLATFORM", Catalog("platform", components=platform.PLATFORM.components.values(), signals=[serving])
    )


def test_it_prints_what_is_open_and_what_is_satisfied(obslib: Run) -> None:
    """Open rows say what is missing, satisfied ones are named, the last line counts; exit 0."""
    done = obslib(rows=[COUNTED, MISSING])
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "open",
        "  OBJ-02     It can be asked. Missing: No command does.",
        "satisfied",
        "  OBJ-01",
        "2 requirements: 1 satisfied, 1 open, 0 wrong",
    ]


def test_a_wrong_row_is_exit_1(obslib: Run) -> None:
    """It is listed first, with what to do; ``--wrong`` lists nothing else."""
    done = obslib("--wrong", rows=[{**COUNTED, "metrics": ["log_lines_total{result}", "log_line_total"]}, MISSING])
    assert done.code == 1
    assert done.out.splitlines() == [
        "wrong",
        "  OBJ-01     metric 'log_line_total' is not in catalog 'platform'; did you mean 'log_lines_total'?",
        "2 requirements: 0 satisfied, 1 open, 1 wrong",
    ]


def test_open_lists_what_is_open_and_nothing_else(obslib: Run) -> None:
    """What is missing, one row each."""
    done = obslib("--open", rows=[COUNTED, MISSING])
    assert done.out.splitlines() == [
        "open",
        "  OBJ-02     It can be asked. Missing: No command does.",
        "2 requirements: 1 satisfied, 1 open, 0 wrong",
    ]


def test_a_row_asked_for_is_shown_in_full(obslib: Run) -> None:
    """With where it comes from and what satisfies it; the start of an id names all that begin with it."""
    done = obslib("OBJ-01", rows=[COUNTED, MISSING])
    assert done.code == 0
    assert [line.split() for line in done.out.splitlines()] == [
        ["OBJ-01", "satisfied:", "Loss", "is", "counted."],
        ["metric", "architecture,", "lines", "1-2"],
        ["metrics", "log_lines_total{result}"],
        ["tests", "tests/test_loss.py::test_loss"],
    ]
    assert "OBJ-02     open: It can be asked." in obslib("OBJ", rows=[COUNTED, MISSING]).out


def test_json_is_one_document(obslib: Run) -> None:
    """Counts, findings and rows with their standing; ``--open`` and ids choose rows here too."""
    done = obslib("--json", "--open", rows=[COUNTED, MISSING])
    document = json.loads(done.out)
    assert document["counts"] == {"wrong": 0, "open": 1, "satisfied": 1}
    assert document["findings"] == []
    assert [(row["id"], row["standing"], row["open"]) for row in document["rows"]] == [("OBJ-02", "open", "No command does.")]


def test_an_id_that_nobody_knows_is_exit_2(obslib: Run) -> None:
    """Not the same as a row that is satisfied."""
    done = obslib("OBJ-07", rows=[COUNTED, MISSING])
    assert (done.code, done.out) == (2, "")
    assert done.err == "obslib: no requirement is called 'OBJ-07'; 'obslib requirements' lists them\n"


def test_outside_a_repository_it_asks_where_the_specs_are(obslib: Run, tmp_path: Path) -> None:
    """Exit 2 and one sentence; with ``--specs`` it is told."""
    done = obslib("--specs", "elsewhere", rows=[COUNTED, MISSING])
    assert done.code == 2
    said = "there is no elsewhere/requirements.json; run this in the repository, or say where its specs are with --specs"
    assert done.err == f"obslib: {said}\n"
    assert obslib("--specs", str(tmp_path / "specs"), rows=[COUNTED, MISSING]).code == 0


def test_without_the_extra_cli_it_says_what_to_install(obslib: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows name commands of platform, so they cannot be judged without it."""
    monkeypatch.setitem(sys.modules, "obslib.cli.platform.app", None)
    done = obslib(rows=[COUNTED, MISSING])
    assert done.code == 2
    assert done.err.endswith("pip install 'platform-obslib[cli]'\n")


def test_a_broken_ledger_is_one_sentence_with_its_line(obslib: Run) -> None:
    """Exit 1, no traceback."""
    done = obslib(rows='{"sections": [],\n"rows": [,]}')
    assert (done.code, done.out) == (1, "")
    assert done.err == ("obslib: specs/requirements.json, line 2: this is no JSON (Expecting value); look for a lost comma\n")


def test_a_section_that_is_gone_is_wrong(obslib: Run, tmp_path: Path) -> None:
    """The page beside the file says which there are, so deleting one with its rows is seen."""
    (tmp_path / "specs" / "requirements.md").write_text("| `OBJ` | Purpose | 2 |\n| `WLG` | Workload logs | 14 |\n")
    done = obslib("--wrong", rows=[COUNTED, MISSING])
    assert done.code == 1
    assert "  WLG        section has 0 rows and should have 14 by the page; " in done.out


@pytest.mark.parametrize("redirected", ["> /dev/full", ">&-"])
def test_an_answer_that_cannot_be_written_is_a_failure(redirected: str) -> None:
    """Exit 1 and one sentence, no traceback, on a full disk and on a closed stream."""
    command = [sys.executable, "-c", "from obslib.cli.main import main; main()", "doctor"]
    done = subprocess.run(["sh", "-c", f'exec "$@" {redirected}', "sh", *command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("obslib: standard output cannot be written: ")
    assert done.stderr.count("\n") == 1
