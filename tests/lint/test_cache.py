"""A kept answer is used only while everything it depends on is as it was, and a cache never does harm."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from obslib.lint import cache as room
from obslib.lint.cache import Cache, Kept
from obslib.lint.finding import Finding
from tests.lint.fake_engine import FakeEngine, wrote

TEXT = "x = user_id  # mendable\ny = user_id  # obslib: ignore[OBS103] why\n# reads: other.py\n# reads: missing.py\n"


class Runs:
    """Runs of a linter over one file of a project, each with a cache that was loaded anew."""

    def __init__(self, project: Path, kind: type[Cache] = Cache) -> None:
        self.project, self.kind = project, kind
        self.file = wrote(project / "a.py")(TEXT)
        wrote(project / "other.py")("NAME = 1\n")

    def looked(self, *, about: str = "", path: Path | None = None) -> tuple[int, tuple[Finding, ...]]:
        """How many files the engine was asked about, and what came out."""
        engine, cache = FakeEngine(), self.kind(self.project / ".cache", about=about)
        answer = engine.linter(cache).lint(path or self.file)
        cache.save()
        return len(engine.looked), answer.findings


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """A file that has been looked at once."""
    runs = Runs(tmp_path)
    assert runs.looked()[0] == 1
    return runs


def test_what_has_not_changed_is_not_looked_at_again(runs: Runs) -> None:
    """And the answer is the same to the last edit; a copy elsewhere is another file."""
    fresh = FakeEngine().linter().lint(runs.file)
    assert runs.looked() == (0, fresh.findings)
    assert fresh.findings[0].edits
    assert fresh.suppressed == 1
    assert runs.looked(path=wrote(runs.project / "copy.py")(TEXT))[0] == 1


def test_the_answer_names_the_file_as_this_run_does(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another working directory changes how paths are told, and nothing else."""
    monkeypatch.chdir(runs.project)
    looked, findings = runs.looked(path=Path("a.py"))
    assert (looked, {finding.path for finding in findings}) == (0, {"a.py"})


CHANGES: dict[str, Callable[[Path], object]] = {
    "the file": lambda project: wrote(project / "a.py")(TEXT + "\n"),
    "a file that was read": lambda project: wrote(project / "other.py")("NAME = 2\n"),
    "a file that was read is gone": lambda project: (project / "other.py").unlink(),
    "a file that was missing": lambda project: wrote(project / "missing.py")(""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_change_of_anything_it_depends_on_is_noticed(change: Callable[[Path], object], runs: Runs) -> None:
    """Its own bytes, those of the files its imports led to, and the coming of one that was looked for in vain."""
    change(runs.project)
    assert runs.looked()[0] == 1
    assert runs.looked()[0] == 0


def test_another_configuration_or_linter_has_other_answers(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that was edited, a catalog that grew, another root of imports."""
    assert runs.looked(about="src")[0] == 1
    monkeypatch.setattr(room, "_engine", lambda: "edited")
    assert runs.looked(about="src")[0] == 1


def test_every_source_that_rules_depend_on_is_in_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One character in a rule, in the catalog or in a name that counts as a secret makes another linter."""
    home = tmp_path / "obslib"
    for folder in ("lint/rules", "catalog/platform", "redaction"):
        (home / folder).mkdir(parents=True)
    (home / "errors.py").touch()
    monkeypatch.setattr(room, "_HOME", home)
    seen = {room._engine()}
    for path in ("lint/rules/a.py", "catalog/platform/b.py", "redaction/names.py", "errors.py"):
        (home / path).write_text("x")
        seen.add(room._engine())
    assert len(seen) == 5


class Forgetful(Cache):
    """A broken build: what was read for an answer is forgotten."""

    def put(self, path: Path, digest: str, kept: Kept) -> None:
        """Keep the answer without its grounds."""
        super().put(path, digest, Kept(findings=kept.findings, suppressions=kept.suppressions))


class Trusting(Cache):
    """A broken build: an answer is taken whatever the file holds by now."""

    def get(self, path: Path, digest: str) -> Kept | None:
        """Look only at the path."""
        entry = self._entries.get(os.path.abspath(path), {})
        return super().get(path, entry.get("digest", digest))


@pytest.mark.parametrize(("broken", "change"), [(Forgetful, "a file that was read"), (Trusting, "the file")])
def test_mutant_a_cache_that_forgets_is_caught(broken: type[Cache], change: str, tmp_path: Path) -> None:
    """The checks above fail on it: it does not look again where it must."""
    runs = Runs(tmp_path, broken)
    runs.looked()
    CHANGES[change](tmp_path)
    assert runs.looked()[0] == 0


def _harmed(file: Path, how: str) -> None:
    text = file.read_text()
    head, _, body = text.partition("\n")
    match how:
        case "empty":
            file.write_text("")
        case "torn":
            file.write_text(text[: len(text) // 2])
        case "edited":
            file.write_text(text.replace("user_id", "someone"))
        case "bytes":
            file.write_bytes(b"\xff\x00" * 100)
        case "foreign":
            file.write_text('{"version": 1}')
        case "nested":
            nested = "[" * 100_000
            file.write_text(f"{head.split(' ')[0]} {room._digest(nested.encode())}\n{nested}")
        case "of another shape":
            entries = {path: {**entry, "findings": [{"place": 3}]} for path, entry in json.loads(body).items()}
            other = json.dumps(entries)
            file.write_text(f"{head.split(' ')[0]} {room._digest(other.encode())}\n{other}")
        case "a folder":
            file.unlink()
            file.mkdir()


@pytest.mark.parametrize(
    "how", ["empty", "torn", "edited", "bytes", "foreign", "nested", "of another shape", "a folder"]
)  # fmt: skip
def test_a_cache_that_was_harmed_is_none(how: str, runs: Runs) -> None:
    """The answers are those of a run without one, and nothing is raised."""
    fresh = FakeEngine().linter().lint(runs.file).findings
    _harmed(runs.project / ".cache" / "lint.json", how)
    assert runs.looked() == (1, fresh)


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    """A file in its place, or a folder that takes nothing: the run is slower and says the same."""
    runs = Runs(tmp_path)
    (tmp_path / ".cache").write_text("a file")
    assert [runs.looked()[0], runs.looked()[0]] == [1, 1]
    assert (tmp_path / ".cache").read_text() == "a file"
    for folder in (Path("/proc/nothing"), Path("/dev/null/x")):
        cache = Cache(folder, about="")
        FakeEngine().linter(cache).lint(runs.file)
        cache.save()


def test_two_runs_at_once_keep_both_their_answers(runs: Runs) -> None:
    """The later one adds to what the earlier one wrote meanwhile; a torn file never exists."""
    one, two = (Cache(runs.project / ".cache", about="") for _ in range(2))
    files = [wrote(runs.project / f"{name}.py")("x = 1\n") for name in ("one", "two")]
    for cache, file in zip((one, two), files, strict=True):
        FakeEngine().linter(cache).lint(file)
        cache.save()
    assert [runs.looked(path=file)[0] for file in (runs.file, *files)] == [0, 0, 0]


def test_files_that_are_gone_are_forgotten(runs: Runs) -> None:
    """A cache does not grow with a project's past."""
    gone = wrote(runs.project / "gone.py")("x = 1\n")
    runs.looked(path=gone)
    gone.unlink()
    wrote(runs.file)(TEXT + "\n")
    runs.looked()
    assert "gone.py" not in (runs.project / ".cache" / "lint.json").read_text()


def test_the_folder_is_a_cache_to_every_tool(runs: Runs) -> None:
    """Backups leave it out (CACHEDIR.TAG), and so does version control, without a line in the project's own files."""
    folder = runs.project / ".cache"
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert (folder / ".gitignore").read_text() == "*\n"
    shutil.rmtree(folder)
    assert runs.looked()[0] == 1


def test_a_folder_that_holds_something_else_is_not_marked(tmp_path: Path) -> None:
    """A ``.gitignore`` of the cache's in somebody's folder would hide what they wrote there."""
    runs = Runs(tmp_path)
    (tmp_path / ".cache").mkdir()
    wrote(tmp_path / ".cache" / "theirs.txt")("kept")
    assert [runs.looked()[0], runs.looked()[0]] == [1, 0]
    assert sorted(each.name for each in (tmp_path / ".cache").iterdir()) == ["lint.json", "theirs.txt"]


def test_a_failure_of_the_linter_is_not_kept(tmp_path: Path) -> None:
    """It may have been for want of memory."""
    runs = Runs(tmp_path)
    wrote(runs.file)("# raises: KeyError\n")
    assert [runs.looked()[0], runs.looked()[0]] == [1, 1]
