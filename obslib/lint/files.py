"""Which files a run looks at: those that were named, and every Python file below the folders that were named."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from obslib.lint.finding import Finding, Place
from obslib.lint.own import Own

__all__ = ["PASSED_OVER", "Found", "find"]

PASSED_OVER = frozenset({"__pycache__", "build", "dist", "node_modules"})
"""Folders that hold no source of the project; hidden ones and virtual environments are passed over too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files, each once and under one name, in order; and a finding for each place that cannot be walked."""

    files: tuple[Path, ...]
    findings: tuple[Finding, ...]


def find(paths: Iterable[Path], *, is_excluded: Callable[[Path], bool]) -> Found:
    """Every file to lint. One that is named itself is taken whatever it is called and whether or not it is excluded.

    A file with several names is taken under that which is no symbolic link. Raises FileNotFoundError for a path that
    names nothing.
    """
    walk = _Walk(is_excluded)
    folders = []
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR) and not path.is_symlink():
                raise FileNotFoundError(error.errno, error.strerror, str(path)) from None
            is_folder = False
        if is_folder:
            folders.append(path)
        else:
            walk.take(path, os.path.realpath(path))
    for folder in folders:
        walk.below(folder)
    walk.follow_links()
    return Found(files=tuple(sorted(walk.files.values())), findings=tuple(walk.findings))


class _Walk:
    def __init__(self, is_excluded: Callable[[Path], bool]) -> None:
        self.files: dict[str, Path] = {}
        self.findings: list[Finding] = []
        self._is_excluded = is_excluded
        self._folders: set[str] = set()
        self._links: list[Path] = []

    def take(self, path: Path, real: str) -> None:
        self.files.setdefault(real, path)

    def below(self, folder: Path) -> None:
        """Take every Python file below; symbolic links wait, so that a file keeps its own name."""
        waiting = [(folder, os.path.realpath(folder))]
        while waiting:
            folder, real = waiting.pop()
            if real in self._folders:
                continue
            self._folders.add(real)
            for entry in self._entries(folder):
                path = folder / entry.name
                if entry.is_symlink():
                    self._links.append(path)
                elif entry.is_dir(follow_symlinks=False):
                    if not self._is_passed_over(path):
                        waiting.append((path, os.path.join(real, entry.name)))
                elif path.suffix == ".py" and not self._is_excluded(path):
                    self.take(path, os.path.join(real, entry.name))

    def follow_links(self) -> None:
        """Take what symbolic links lead to and no walk has come by; say where one leads in a circle."""
        while self._links:
            links, self._links = sorted(self._links), []
            for path in links:
                self._follow(path)

    def _follow(self, path: Path) -> None:
        real = os.path.realpath(path)
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            is_folder = False
            if error.errno == errno.ELOOP and path.suffix != ".py" and not self._is_excluded(path):
                self._cannot(path, "is a symbolic link that leads to itself; delete it, or exclude it")
        if is_folder and not self._is_passed_over(path):
            if f"{os.path.realpath(path.parent)}/".startswith(f"{real.rstrip('/')}/"):
                self._cannot(path, "is a symbolic link to a folder around it; what is below was looked at once")
            else:
                self.below(path)
        elif not is_folder and path.suffix == ".py" and not self._is_excluded(path):
            self.take(path, real)

    def _entries(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                yield from sorted((e for e in entries if not e.name.startswith(".")), key=lambda entry: entry.name)
        except OSError as error:
            self._cannot(folder, f"cannot be looked into ({error.strerror}); make it readable, or exclude it")

    def _is_passed_over(self, folder: Path) -> bool:
        return folder.name in PASSED_OVER or os.path.exists(folder / "pyvenv.cfg") or self._is_excluded(folder)

    def _cannot(self, path: Path, why: str) -> None:
        self.findings.append(Finding(path=str(path), place=Place.at(), code=Own.UNREADABLE, message=f"{path.name!r} {why}"))
