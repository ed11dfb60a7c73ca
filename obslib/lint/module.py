"""A Python file that was read and walked, and the files below the project's roots that its imports lead to.

Nothing of a project is imported: a module is its syntax tree. obslib's own catalog is the exception, since it is installed
with the linter; see ``real``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obslib.lint.survey import Survey
from obslib.lint.walk import survey

__all__ = ["Module", "Project"]


_MOST_KEPT = 4_096


@dataclass(eq=False, slots=True)
class Module:
    """One file: its dotted name as an import would give it, its tree and its survey."""

    path: Path
    dotted: str
    text: str
    tree: ast.Module
    survey: Survey
    is_package: bool = False

    def absolute(self, name: str) -> str:
        """A dotted name, relative ones (``.signals.X``) seen from this module."""
        stripped = name.lstrip(".")
        level = len(name) - len(stripped)
        if not level:
            return name
        parts = self.dotted.split(".") if self.dotted else []
        kept = parts[: len(parts) - level + (1 if self.is_package else 0)]
        return ".".join([*kept, stripped]) if stripped else ".".join(kept)


@dataclass(slots=True)
class Project:
    """Where imports are looked up, and which files are components.

    ``components`` None means: every file that imports obslib or one of its shims.
    """

    roots: Sequence[Path] = ()
    components: Sequence[Path] | None = None
    _modules: dict[Path, Module | None] = field(default_factory=dict)
    _packages: dict[Path, Path] = field(default_factory=dict)

    def parse(self, path: Path, text: str) -> Module:
        """Read one source; raises what ``ast.parse`` raises (SyntaxError, ValueError, RecursionError, MemoryError)."""
        kept = self._modules.get(path)
        if kept is None or kept.text != text:
            root = self._root(path)
            dotted, is_package = _dotted(path, root)
            tree = ast.parse(text, filename=str(path))
            kept = Module(path, dotted, text, tree, survey(tree), is_package)
        self._keep(path, kept)
        return kept

    def module(self, dotted: str, seen_from: Path) -> tuple[Module | None, tuple[Path, ...]]:
        """The module of this name beside the file that imports it or below a root, and every file looked for on the way."""
        looked_at: list[Path] = []
        for root in dict.fromkeys((self._root(seen_from), *self.roots)):
            place = root.joinpath(*dotted.split("."))
            for path in (place.with_name(place.name + ".py"), place / "__init__.py"):
                looked_at.append(path)
                found = self._load(path)
                if found is not None:
                    return found, tuple(looked_at)
        return None, tuple(looked_at)

    def _load(self, path: Path) -> Module | None:
        if path in self._modules:
            return self._modules[path]
        self._keep(path, None)
        try:
            if path.is_file():
                return self.parse(path, path.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return None

    def _keep(self, path: Path, module: Module | None) -> None:
        """Remember the last few modules, and that others are not there; a large project does not fit into memory whole."""
        self._modules.pop(path, None)
        self._modules[path] = module
        if len(self._modules) > _MOST_KEPT:
            del self._modules[next(iter(self._modules))]

    def _root(self, path: Path) -> Path:
        folder = path.parent
        if folder not in self._packages:
            top = folder
            while (top / "__init__.py").is_file() and top != top.parent:
                top = top.parent
            self._packages[folder] = top
        return self._packages[folder]


def _dotted(path: Path, root: Path) -> tuple[str, bool]:
    try:
        parts = list(path.relative_to(root).with_suffix("").parts)
    except ValueError:
        parts = [path.stem]
    is_package = bool(parts) and parts[-1] == "__init__"
    return ".".join(parts[:-1] if is_package else parts), is_package
