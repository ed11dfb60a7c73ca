"""Every Python file of a project is looked at once, and no other is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from obslib.lint.files import Found, find
from obslib.lint.patterns import Patterns


def found(*paths: Path, exclude: tuple[str, ...] = (), root: Path | None = None) -> Found:
    """What a run over these paths looks at."""
    return find(paths, is_excluded=Patterns(exclude, root or paths[0]).match)


def names(what: Found, root: Path) -> list[str]:
    """The files, from the root."""
    return [path.relative_to(root).as_posix() for path in what.files]


def touch(root: Path, *paths: str) -> None:
    """Make empty files."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def test_python_files_are_found_and_what_is_no_source_is_passed_over(tmp_path: Path) -> None:
    """Hidden folders, virtual environments, what was built and what is excluded hold nothing that somebody maintains."""
    touch(
        tmp_path, "a.py", "pkg/b.py", "pkg/stub.pyi", "pkg/text.txt", "notes.ipynb", "x.py/inside.py", ".hidden/c.py", ".#a.py",
        "build/d.py", "dist/e.py", "node_modules/f.py", "env/pyvenv.cfg", "env/lib/g.py", "pkg/__pycache__/h.py", "old/i.py",
    )  # fmt: skip
    assert names(found(tmp_path, exclude=("old",)), tmp_path) == ["a.py", "pkg/b.py", "x.py/inside.py"]


def test_a_file_that_is_named_is_looked_at_whatever_it_is_called(tmp_path: Path) -> None:
    """Neither its suffix nor an exclude hides it; a folder that is named is walked though it is hidden."""
    touch(tmp_path, "script", "old/i.py", ".hidden/c.py")
    what = found(tmp_path / "script", tmp_path / "old" / "i.py", tmp_path / ".hidden", exclude=("old",), root=tmp_path)
    assert names(what, tmp_path) == [".hidden/c.py", "old/i.py", "script"]


def test_a_file_with_two_names_is_looked_at_once_under_its_own(tmp_path: Path) -> None:
    """Named twice, or reached through links, it is one file."""
    touch(tmp_path, "pkg/real.py")
    (tmp_path / "alias.py").symlink_to(tmp_path / "pkg" / "real.py")
    (tmp_path / "also").symlink_to(tmp_path / "pkg")
    assert names(found(tmp_path), tmp_path) == ["pkg/real.py"]
    assert len(found(tmp_path, tmp_path / "pkg", tmp_path / "pkg" / ".." / "pkg" / "real.py").files) == 1


def test_what_only_a_link_leads_to_is_looked_at(tmp_path: Path) -> None:
    """A folder elsewhere is part of the project when a link says so."""
    touch(tmp_path, "elsewhere/shared.py", "project/a.py")
    (tmp_path / "project" / "lib").symlink_to(tmp_path / "elsewhere")
    assert names(found(tmp_path / "project"), tmp_path) == ["project/a.py", "project/lib/shared.py"]


def test_links_that_lead_in_a_circle_are_named_and_end(tmp_path: Path) -> None:
    """A link to a folder around it and one to itself are one line each; the rest is looked at."""
    touch(tmp_path, "pkg/a.py")
    (tmp_path / "pkg" / "again").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    what = found(tmp_path)
    assert names(what, tmp_path) == ["pkg/a.py"]
    assert [(finding.code, finding.message) for finding in what.findings] == [
        ("OBS902", "'loop' is a symbolic link that leads to itself; delete it, or exclude it"),
        ("OBS902", "'again' is a symbolic link to a folder around it; what is below was looked at once"),
    ]


def test_a_path_that_names_nothing_is_refused(tmp_path: Path) -> None:
    """Nobody believes that a misspelt path was clean."""
    with pytest.raises(FileNotFoundError, match="nope"):
        found(tmp_path / "nope")


def test_a_deep_tree_is_walked_to_its_end(tmp_path: Path) -> None:
    """A folder in a folder in a folder does not end the walk."""
    deep = tmp_path
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "a.py").touch()
    assert len(found(tmp_path).files) == 1


@pytest.fixture
def of_nobody() -> Iterator[Path]:
    """A folder anybody may enter, and a process that is not root."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        (Path(folder) / "shut").mkdir(mode=0o700)
        (Path(folder) / "a.py").touch()
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        else:
            os.chmod(Path(folder) / "shut", 0)
        try:
            yield Path(folder)
        finally:
            os.seteuid(user)
            os.chmod(Path(folder) / "shut", 0o700)


def test_a_folder_that_may_not_be_entered_is_named(of_nobody: Path) -> None:
    """One line for it, and the rest is looked at."""
    what = found(of_nobody)
    assert names(what, of_nobody) == ["a.py"]
    assert [finding.message for finding in what.findings] == [
        "'shut' cannot be looked into (Permission denied); make it readable, or exclude it"
    ]
