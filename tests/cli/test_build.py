"""``obslib build`` keeps the specs true, and says which file is not."""

from __future__ import annotations

import errno
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from obslib.catalog import Catalog, Dashboard, Runbook
from obslib.catalog.platform import PLATFORM
from obslib.cli.build import render
from obslib.cli.main import main
from obslib.errors import SpecError

RULES = Path("generated/alerts.rules.yml")
FILES = 3 + len(PLATFORM.of(Dashboard))
"""The rules, the scrape configuration, the page, and a file for each dashboard."""
PAGE = "# Metrics\n\nWhy.\n\n<!-- generated: budgets -->\n<!-- end -->\n"


def obslib(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["obslib", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A directory of specs with a page, freshly rendered."""
    (tmp_path / "metrics.md").write_text(PAGE)
    assert obslib(monkeypatch, "build", "--out", str(tmp_path)) == 0
    assert capsys.readouterr().out == f"{FILES} of {FILES} files written, in {tmp_path}\n"
    return tmp_path


def test_what_was_built_is_not_stale(built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A check after a build is clean, and a second build writes nothing."""
    assert obslib(monkeypatch, "build", "--check", "--out", str(built)) == 0
    assert obslib(monkeypatch, "build", "--out", str(built)) == 0
    assert capsys.readouterr().out == (f"{FILES} files are as rendered, in {built}\n0 of {FILES} files written, in {built}\n")
    assert "| control-plane |" in (built / "metrics.md").read_text()


@pytest.mark.parametrize("name", ["metrics.md", str(RULES), "generated/prometheus.yml"])
def test_mutant_a_stale_or_missing_file_is_named(
    built: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One character in a rendered part, or the whole file gone: exit 1, and the file's name; nothing is written."""
    path = built / name
    changed = path.read_text().replace("worst case", "best case") if name.endswith(".md") else path.read_text() + " "
    path.write_text(changed)
    assert obslib(monkeypatch, "build", "--check", "--out", str(built)) == 1
    assert capsys.readouterr().err == f"stale: {path}; run 'obslib build'\n"
    assert path.read_text() == changed
    if not name.endswith(".md"):
        path.unlink()
        assert obslib(monkeypatch, "build", "--check", "--out", str(built)) == 1
        assert f"stale: {path}" in capsys.readouterr().err


def test_mutant_another_end_of_line_is_another_file(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout that turned LF into CRLF is stale, in a page and in a whole file, and a build mends both."""
    for name in ("metrics.md", str(RULES)):
        path = built / name
        right = path.read_bytes()
        path.write_bytes(right.replace(b"\n", b"\r\n"))
        assert obslib(monkeypatch, "build", "--check", "--out", str(built)) == 1
        assert capsys.readouterr().err == f"stale: {path}; run 'obslib build'\n"
        assert obslib(monkeypatch, "build", "--out", str(built)) == 0
        assert path.read_bytes() == right


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A copy of the repository's specs, in the place where they are in a repository, in which nothing is wrong."""
    shutil.copytree(Path(__file__).parents[2] / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)
    assert obslib(monkeypatch, "build", "--check") == 0
    capsys.readouterr()
    return tmp_path / "specs"


@pytest.mark.parametrize(
    ("page", "lost", "tables"),
    [
        ("metrics.md", r"<!-- generated: metrics -->.*?<!-- end -->", "'metrics'"),
        ("alerts.md", r"<!-- (generated: alerts|end) -->\n", "'alerts'"),
        ("runbooks", "", "'runbooks'"),
        ("metrics.md", "", "'checks', 'budgets', 'labels', 'loops', 'metrics'"),
    ],
)
def test_mutant_a_table_that_stands_on_no_page_is_named(
    ours: Path, page: str, lost: str, tables: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part, its markers, its page or all runbooks deleted: what is not rendered cannot be stale, so it has to be missed."""
    path = ours / page
    if lost:
        path.write_text(re.sub(lost, "", path.read_text(), flags=re.DOTALL))
    else:
        path.rename(ours.parent / "gone")
    for out in ([], ["--out", str(ours)]):
        assert obslib(monkeypatch, "build", "--check", *out) == 1
        assert f"asks for the table {tables}; put '<!-- generated: " in capsys.readouterr().err


def test_no_directory_is_walked_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pages are looked for in the directory and one level below, whatever tree somebody names."""
    page = "<!-- generated: settings -->\n<!-- end -->\n"
    near, far = tmp_path / "a" / "page.md", tmp_path / "a" / "b" / "page.md"
    far.parent.mkdir(parents=True)
    for path in (near, far):
        path.write_text(page)
    assert obslib(monkeypatch, "build", "--out", str(tmp_path)) == 0
    assert "OBSLIB_NODE_ID" in near.read_text()
    assert far.read_text() == page


def test_a_directory_that_vanishes_while_it_is_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 and no traceback where an entry goes between being listed and being read, as those of /proc do."""

    def gone(self: Path, pattern: str) -> Iterator[Path]:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/proc/17")

    monkeypatch.setattr(Path, "glob", gone)
    for options in ([], ["--check"], ["--shorten", "3"]):
        assert obslib(monkeypatch, "build", *options, "--out", str(tmp_path)) == 2
        assert capsys.readouterr().err == (
            "obslib: /proc/17 cannot be used (No such file or directory); name another with --out\n"
        )


def test_mutant_a_file_that_nobody_renders_is_named(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dashboard that left the catalog does not stay behind unnoticed."""
    stray = built / "generated" / "dashboards" / "old.json"
    stray.write_text("{}")
    assert obslib(monkeypatch, "build", "--check", "--out", str(built)) == 1
    assert capsys.readouterr().err == f"stray: {stray}; nothing renders it, delete it\n"


def test_shortened_alerts_are_never_mistaken_for_the_real_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One option shortens all of them, only into a directory of their own."""
    monkeypatch.chdir(tmp_path)
    assert obslib(monkeypatch, "build", "--shorten", "30") == 2
    assert obslib(monkeypatch, "build", "--shorten", "30", "--check", "--out", str(tmp_path)) == 2
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "alerts.md").write_text("# Alerts\n")
    assert obslib(monkeypatch, "build", "--shorten", "30", "--out", "specs") == 2
    assert obslib(monkeypatch, "build", "--shorten", "30", "--out", str(tmp_path / "fast")) == 0
    rules = (tmp_path / "fast" / RULES).read_text()
    assert "for: 4s" in rules
    assert 'increase(scheduler_loop_runs_total{result="success"}[10s])' in rules
    assert "scrape_interval: 1s" in (tmp_path / "fast" / "generated" / "prometheus.yml").read_text()
    assert capsys.readouterr().err == (
        "obslib: --shorten would put shortened alerts where the real ones are kept; name a directory with --out\n"
        "obslib: --check compares with what is kept, which is never shortened; leave out --shorten\n"
        "obslib: 'specs' holds pages, so its alerts are the real ones; name an empty directory with --out\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "obslib: there is no directory 'specs' here; run it in the repository, or name one with --out\n"),
        (
            ("--out", "/dev/null/x"),
            "/dev/null/x/generated/alerts.rules.yml cannot be used (Not a directory); name another with --out\n",
        ),
        (("--shorten", "fast"), "argument --shorten: 'fast' is no number from 1 to 1000"),
        (("--shorten", "nan"), "argument --shorten: 'nan' is no number from 1 to 1000"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """No traceback, whatever is asked."""
    monkeypatch.chdir(tmp_path)
    assert obslib(monkeypatch, "build", *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_page_that_cannot_be_rendered_is_exit_1(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown part, a lost end marker or bytes that are no text: the page is named."""
    page = built / "metrics.md"
    page.write_text("<!-- generated: nonsense -->\n<!-- end -->\n")
    assert obslib(monkeypatch, "build", "--out", str(built)) == 1
    assert capsys.readouterr().err.startswith(f"obslib: {page} asks for a part 'nonsense'; there are alerts, ")
    page.write_bytes(b"\xff\xfe")
    assert obslib(monkeypatch, "build", "--check", "--out", str(built)) == 1
    assert capsys.readouterr().err == f"obslib: {page} is not UTF-8 text; write it anew\n"


def test_mutant_a_runbook_without_a_section_or_a_page_is_found(tmp_path: Path) -> None:
    """What an alert sends people to has to be there, and usable."""
    book = Runbook(name="burning", help="It burns.", plane=PLATFORM.signals[0].plane, serves=("T",), path="burning.md")
    catalog = Catalog("x", components=PLATFORM.components.values(), signals=[book])
    (tmp_path / "runbooks").mkdir()
    path = tmp_path / "runbooks" / "burning.md"
    with pytest.raises(SpecError, match=f"runbook 'burning' has no page; write {path}"):
        render(catalog, tmp_path)
    path.write_text("# Burning\n" + "".join(f"## {section}\nText.\n" for section in Runbook.SECTIONS[:-1]))
    with pytest.raises(SpecError, match=f"{path} lacks a section: Follow-up"):
        render(catalog, tmp_path)
