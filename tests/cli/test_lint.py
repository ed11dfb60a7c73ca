"""``obslib lint`` on a project that uses obslib and is not this repository."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from obslib.cli.lint import lint
from obslib.cli.main import _parser
from obslib.lint import RULES
from obslib.testing import FixedClock
from tests.cli.outcome import Outcome, Run
from tests.lint.fake_engine import FakeEngine, wrote

CLEAN = "import obslib\n\n\ndef go(obs: obslib.Observability) -> None:\n    obs.log.info('sent', count=1)\n"

DECLARATION = """\
from obslib.catalog import COMMON, Component, Plane, counter


@counter("invoices_total", serves=("BILLING-1",))
def INVOICES() -> None:
    '''Invoices sent.'''


CATALOG = COMMON.extend("billing", components=[Component(name="billing", plane=Plane.COMMON)], signals=[INVOICES])
"""
USE = """\
import obslib
from billing import signals


def go(obs: obslib.Observability) -> None:
    obs.metrics[signals.INVOICES].inc()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A product of its own: two modules, a configuration, nothing of this repository."""
    (tmp_path / "src" / "billing").mkdir(parents=True)
    wrote(tmp_path / "pyproject.toml")('[project]\nname = "billing"\n\n[tool.obslib.lint]\npaths = ["src"]\n')
    wrote(tmp_path / "src" / "billing" / "clean.py")(CLEAN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def obslib(project: Path, obslib: Run) -> Run:
    """Runs ``obslib`` with these words in the project."""
    return obslib


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The fake engine in the place of the rules; its one rule has a page."""
    from obslib.lint import Page, rulebook
    from obslib.lint.rulebook import Entry

    fake = FakeEngine()
    page = Page(summary="A raw value.", why="Each value is a series for ever.", fix="Log it instead.")
    book = {**rulebook.rulebook(), "OBS103": Entry(code="OBS103", name="raw-label", page=page)}
    monkeypatch.setattr("obslib.lint.check", lambda path, text, project: fake.check(path, text))
    monkeypatch.setattr(rulebook, "rulebook", lambda: book)
    return fake


def test_a_clean_project_is_exit_0(obslib: Run) -> None:
    """With the real rules, from its own configuration; the second run says the same."""
    assert obslib("lint") == obslib("lint") == Outcome(0, "1 file, nothing found\n", "")


def test_a_defect_is_exit_1(obslib: Run, project: Path) -> None:
    """The real rules see what the page of one of them calls bad."""
    wrote(project / "src" / "billing" / "wrong.py")(RULES["OBS101"].bad[0])
    done = obslib("lint")
    assert done.code == 1
    assert done.out.startswith("src/billing/wrong.py:")
    assert "\n  why: " in done.out
    assert "\n  fix: " in done.out


def test_a_declaration_that_leaves_is_missed_where_it_is_used(obslib: Run, project: Path) -> None:
    """The using file has not changed and its answer was kept; the file it imports has, so the answer is another."""
    wrote(project / "pyproject.toml")('[tool.obslib.lint]\npaths = ["src"]\nsrc = ["src"]\n')
    wrote(project / "src" / "billing" / "__init__.py")("")
    wrote(project / "src" / "billing" / "app.py")(USE)
    signals = project / "src" / "billing" / "signals.py"
    wrote(signals)(DECLARATION)
    assert obslib("lint") == obslib("lint") == Outcome(0, "4 files, nothing found\n", "")
    wrote(signals)(DECLARATION.replace("INVOICES", "BILLS"))
    done = obslib("lint")
    assert done.code == 1
    assert done.out.startswith("src/billing/app.py:6:17 OBS101 ")
    assert "    obs.metrics[signals.INVOICES].inc()\n                ^^^^^^^^^^^^^^^^\n" in done.out
    wrote(signals)(DECLARATION)
    assert obslib("lint").code == 0


@pytest.mark.usefixtures("engine")
def test_people_see_the_place_the_reason_and_the_repair(obslib: Run, project: Path) -> None:
    """Paths are those that can be opened from here."""
    wrote(project / "src" / "a.py")("x = user_id  # mendable\n")
    assert obslib("lint") == Outcome(
        1,
        "src/a.py:1:5 OBS103 label 'user_id' is not bounded\n"
        "    x = user_id  # mendable\n"
        "        ^^^^^^^\n"
        "  why: Each value is a series for ever.\n"
        "  fix: Log it instead.\n"
        "1 finding in 1 of 2 files; --fix mends 1\n",
        "",
    )


def test_unchanged_files_are_not_looked_at_again(obslib: Run, project: Path, engine: FakeEngine) -> None:
    """The cache lies beside the configuration; --no-cache keeps none, --cache-dir another."""
    obslib("lint")
    obslib("lint")
    assert engine.looked == ["clean.py"]
    assert (project / ".obslib_cache" / "lint.json").exists()
    obslib("lint", "--no-cache")
    obslib("lint", "--cache-dir", "kept")
    assert obslib("lint", "--cache-dir", "kept") == Outcome(0, "1 file, nothing found\n", "")
    assert engine.looked == ["clean.py"] * 3


@pytest.mark.usefixtures("engine")
def test_fix_mends_and_reports_what_is_left(obslib: Run, project: Path) -> None:
    """Exit 1 while something is left, 0 when everything was mended; the file keeps its ends of lines."""
    file = wrote(project / "a.py")("x = user_id  # mendable\r\ny = user_id\r\n")
    done = obslib("lint", "--fix", "a.py")
    assert (done.code, done.err) == (1, "obslib: 1 mended in 'a.py'\n")
    assert done.out.startswith("a.py:2:5 OBS103")
    assert file.read_bytes() == b"x = route  # mendable\r\ny = user_id\r\n"
    wrote(file)("x = user_id  # mendable\n")
    assert obslib("lint", "--fix", "a.py").code == 0
    assert obslib("lint", "a.py") == Outcome(0, "1 file, nothing found\n", "")


@pytest.mark.usefixtures("engine")
def test_diff_writes_nothing(obslib: Run, project: Path) -> None:
    """It prints what --fix would do, how much it found on the other output, and exits 1."""
    file = wrote(project / "a.py")("x = user_id  # mendable\n")
    done = obslib("lint", "--diff", "a.py")
    told = "obslib: 1 finding in 1 of 1 file; --fix mends 1\n"
    assert done == Outcome(1, "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = user_id  # mendable\n+x = route  # mendable\n", told)
    assert "user_id" in file.read_text()


def test_a_repair_that_cannot_be_made_is_told(obslib: Run, project: Path, engine: FakeEngine) -> None:
    """The file stays as it was, and the finding is reported."""
    engine.replacement = "("
    file = wrote(project / "a.py")("x = user_id  # mendable\n")
    done = obslib("lint", "--fix", "a.py")
    assert (done.code, done.err) == (1, "obslib: 'a.py' was not mended: the result would be no Python\n")
    assert file.read_text() == "x = user_id  # mendable\n"


@pytest.mark.usefixtures("engine")
def test_rules_are_chosen_by_code_name_or_beginning(obslib: Run, project: Path) -> None:
    """On the command line or in the configuration; what could not be looked at is reported whatever is chosen."""
    wrote(project / "a.py")("x = user_id\n")
    wrote(project / "broken.py")("x = (\n")

    def found(*arguments: str) -> list[str]:
        return [each["code"] for each in json.loads(obslib("lint", "--format", "json", *arguments, ".").out)["findings"]]

    assert found() == ["OBS103", "OBS901"]
    assert found("--select", "raw-label") == found("--select", "OBS1") == ["OBS103", "OBS901"]
    assert found("--ignore", "OBS103,OBS901") == found("--select", "OBS9") == found("--select", "obs911") == ["OBS901"]
    wrote(project / "pyproject.toml")('[tool.obslib.lint]\nignore = ["raw-label"]\n')
    assert found() == ["OBS901"]
    wrote(project / "pyproject.toml")('[tool.obslib.lint.per-path-ignores]\n"a.py" = ["raw-label"]\n')
    assert found() == ["OBS901"]
    wrote(project / "pyproject.toml")('[tool.obslib.lint]\nexclude = ["a.py", "broken.py"]\n')
    assert found() == []


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_document_is_all_there_is(form: str, obslib: Run, project: Path) -> None:
    """With findings and without: one JSON document on standard output."""
    for text in ("x = user_id\n", "x = 1\n"):
        wrote(project / "a.py")(text)
        done = obslib("lint", "--format", form, "a.py")
        assert done.err == ""
        assert json.loads(done.out)
        assert done.code == int("user_id" in text)


@pytest.mark.usefixtures("engine")
def test_github_and_standard_input(obslib: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor pipes what is not saved yet, and says what it is to be taken for."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x = user_id\n")))
    done = obslib("lint", "-", "--stdin-filename", "src/a.py", "--format", "github")
    assert done.out == (
        "::error file=src/a.py,line=1,endLine=1,col=5,endColumn=12,title=OBS103 raw-label::label 'user_id' is not bounded\n"
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    assert obslib("lint", "-").out.startswith("<stdin>:1:1 OBS902 the file is not UTF-8")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--diff", "--format", "sarif", "src"), "--diff prints a patch and no sarif; leave out one of them"),
        (
            ("--stdin-filename", "a.py"),
            "--stdin-filename says what standard input is to be taken for; add - to the paths",
        ),
        (
            ("--catalog", "billing.signals:CATALOG", "src"),
            "--catalog says what scrapes, rules and dashboards are held against, and none is named; "
            "Python sources are read with the catalogs they import",
        ),
    ],
)
def test_a_flag_that_would_do_nothing_is_refused(obslib: Run, words: tuple[str, ...], sentence: str) -> None:
    """Whoever gives it means something by it, and believes that it was done."""
    assert obslib("lint", *words) == Outcome(2, "", f"obslib: {sentence}\n")


def test_an_empty_cache_folder_is_refused(obslib: Run) -> None:
    """A variable that is not set would make the project itself the cache."""
    done = obslib("lint", "--cache-dir", "")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("argument --cache-dir: '' names no folder\n")


def test_what_cannot_be_looked_at_counts_as_a_file(obslib: Run, project: Path) -> None:
    """There are never findings in more files than there are files."""
    (project / "src" / "loop").symlink_to("loop")
    assert obslib("lint").out.splitlines()[-1] == "1 finding in 1 of 2 files; 1 not looked at"


@pytest.mark.usefixtures("engine")
def test_a_suppression_ends_by_the_clock(project: Path) -> None:
    """The clock is handed in, so a test can stand on either side of the last day."""
    wrote(project / "a.py")("x = user_id  # obslib: ignore[raw-label] until 2026-01-31 replaced in January\n")
    arguments = _parser().parse_args(["lint", "a.py"])
    clock = FixedClock()
    assert lint(arguments, clock=clock) == 0
    clock.advance(60 * 86_400)
    assert lint(arguments, clock=clock) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nope.py",), "there is no 'nope.py'; name files or folders to lint, or - for standard input"),
        (("--select", "OBS19"), "--select: no rule is called 'OBS19'; did you mean 'OBS"),
        (
            ("--ignore", "undeclared-metrics"),
            "--ignore: no rule is called 'undeclared-metrics'; did you mean 'undeclared-metric'",
        ),
        (("--select", "OBS1", "--ignore", "zzz"), "--ignore: no rule is called 'zzz'; 'obslib explain' lists them"),
        (("src", ""), "a path is empty, most likely a variable that is not set; name files or folders to lint"),
        (("--config", "nope.toml"), "'nope.toml' cannot be read: No such file or directory; name another with --config"),
        (("-", "--fix"), "standard input cannot be mended in place; name the file, or leave out --fix and --diff"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(arguments: tuple[str, ...], sentence: str, obslib: Run) -> None:
    """No traceback, nothing on standard output."""
    done = obslib("lint", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"obslib: {sentence}")
    assert done.err.count("\n") == 1


def test_where_nothing_can_be_read_is_exit_2(obslib: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed standard input and a working directory that somebody removed are a sentence each."""
    monkeypatch.setattr(sys, "stdin", None)
    told = "obslib: standard input is closed or cannot be read; name the file instead of -\n"
    assert obslib("lint", "-") == Outcome(2, "", told)
    (project / "gone").mkdir()
    monkeypatch.chdir(project / "gone")
    (project / "gone").rmdir()
    assert obslib("lint") == Outcome(2, "", "obslib: the working directory is gone; change into one that is there\n")


def test_wrong_configuration_is_exit_2(obslib: Run, project: Path) -> None:
    """A key, or a rule, that means nothing is named with the file."""
    file = wrote(project / "pyproject.toml")("[tool.obslib.lint]\nslect = []\n")
    sentence = f"obslib: [tool.obslib.lint] in {str(file)!r} has a key 'slect' that means nothing; did you mean 'select'?\n"
    assert obslib("lint") == Outcome(2, "", sentence)
    wrote(file)('[tool.obslib.lint]\nignore = ["nothing-of-ours"]\n')
    done = obslib("lint")
    assert done.code == 2
    assert done.err.startswith(
        f"obslib: 'ignore' of [tool.obslib.lint] in {str(file)!r}: no rule is called 'nothing-of-ours'; "
    )


def painted(code: str, environment: dict[str, str]) -> str:
    """What a terminal of 50 columns gets from the command."""
    import os
    import pty

    parent, child = pty.openpty()
    command = [sys.executable, "-c", "from obslib.cli.main import main; main()", "lint", "--no-cache", "a.py"]
    running = subprocess.Popen(command, stdout=child, env={**os.environ, "COLUMNS": "50", "TERM": "xterm", **environment})
    os.close(child)
    read = b""
    while True:
        try:
            piece = os.read(parent, 65_536)
        except OSError:
            break
        if not piece:
            break
        read += piece
    running.wait(60)
    os.close(parent)
    return read.decode()


@pytest.mark.slow
def test_a_terminal_gets_colour_unless_it_asks_for_none(project: Path) -> None:
    """NO_COLOR, a dumb terminal and a pipe get the same words without; escapes of the source reach none of them."""
    wrote(project / "a.py")('x = (  "\x1b[31m"' + " " * 80 + "\n")
    assert "\x1b[1;31mOBS901\x1b[0m" in painted("a.py", {})
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = painted("a.py", environment)
        assert "\x1b" not in shown
        assert max(map(len, shown.splitlines()[1:])) <= 50


@pytest.mark.slow
def test_a_run_whose_answers_are_all_kept_does_without_the_engine(project: Path) -> None:
    """Rules and what they lean on are imported for the first file that has changed; a hook is as good as free."""
    probe = (
        "import sys; sys.argv = ['obslib', 'lint']\n"
        "from obslib.cli.main import main\n"
        "try: main()\n"
        "finally: print('obslib.lint.rules' in sys.modules, file=sys.stderr)\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False, cwd=project)
        for _ in range(2)
    ]
    assert [(run.returncode, run.stderr) for run in runs] == [(0, "True\n"), (0, "False\n")]


@pytest.mark.slow
def test_mutant_what_would_end_an_interpreter_is_one_line(project: Path) -> None:
    """Trees far deeper than any stack: each file has its line or its answer, and the one after it is looked at."""
    deep = 60_000
    shapes = {
        "minus": "x = " + "-" * deep + "1\n", "plus": "x = " + " + ".join(["a"] * deep) + "\n",
        "attribute": "x = a" + ".b" * deep + "\n", "call": "x = a" + "()" * deep + "\n",
        "lambda": "x = " + "lambda: " * deep + "1\n",
        "elif": "if a: pass\n" + "elif a: pass\n" * 20_000, "parenthesis": "x = " + "(" * deep + ")" * deep + "\n",
        "thousands": "x = " + " + ".join(["a"] * 5_000) + "\n", "zzz": "x = (\n",
    }  # fmt: skip
    for name, text in shapes.items():
        wrote(project / f"{name}.py")(text)
    command = [sys.executable, "-c", "from obslib.cli.main import main; main()", "lint", "--format", "json", "."]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
    assert (done.returncode, done.stderr) == (1, "")
    found = {each["path"]: each["code"] for each in json.loads(done.stdout)["findings"]}
    assert found == {f"{name}.py": "OBS901" for name in shapes if name != "thousands"}
