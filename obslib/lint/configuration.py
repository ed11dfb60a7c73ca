"""What a project says about linting it: the table ``[tool.obslib.lint]`` of its pyproject.toml.

```toml
[tool.obslib.lint]
paths = ["src", "tools"]                # what 'obslib lint' looks at when it is given no path; "." without it
exclude = ["src/vendored", "*_pb2.py"]  # patterns: these files and folders are left out
select = ["OBS"]                        # codes, names, or beginnings of codes; all rules without it
ignore = ["OBS204"]                     # left out of that
components = ["src/billing"]            # files of components, where print() is a defect; those that import obslib without it
src = ["src"]                           # where imports of the project's own modules start; "." and "src" without it

[tool.obslib.lint.per-path-ignores]
"tests/**" = ["OBS5"]
```
"""

from __future__ import annotations

import difflib
import os
import reprlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from obslib.errors import UsageError

__all__ = ["FILE", "Configuration"]

FILE = "pyproject.toml"
_LISTS = ("paths", "exclude", "select", "ignore", "components", "src")
_IGNORES = "per-path-ignores"
_KEYS = (*_LISTS, _IGNORES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """``root`` is the folder that relative paths and patterns start from; ``file`` says where it was written, if anywhere.

    ``components`` is None where the project does not say; codes and names are checked when they are used.
    """

    root: Path
    file: Path | None = None
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    components: tuple[str, ...] | None = None
    src: tuple[str, ...] = ()
    per_path_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @staticmethod
    def near(paths: Sequence[Path]) -> Configuration:
        """From the nearest pyproject.toml with the table, in the folder that holds all ``paths`` or above it.

        Where none has it, the nearest one marks the root, else the working directory does. Raises UsageError with one
        sentence that names file and key.
        """
        start = Path(os.path.commonpath([os.path.abspath(path) for path in paths])) if paths else Path.cwd()
        root = None
        for folder in (start, *start.parents):
            file = folder / FILE
            if os.path.isfile(file):
                table = _table(file)
                if table is not None:
                    return _checked(file, table)
                root = root or folder
        return Configuration(root=root or Path.cwd())

    @staticmethod
    def load(file: Path) -> Configuration:
        """From this file, which must have the table; raises UsageError otherwise."""
        table = _table(file)
        if table is None:
            raise UsageError(f"{str(file)!r} has no table [tool.obslib.lint]; write one, or leave out --config")
        return _checked(file, table)

    def start_of_imports(self) -> tuple[Path, ...]:
        """The folders that the project's own modules are imported from."""
        if self.src:
            return tuple(self.root / each for each in self.src)
        return tuple(each for each in (self.root, self.root / "src") if each.is_dir())


def _table(file: Path) -> dict[str, Any] | None:
    try:
        content: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{str(file)!r} cannot be read: {error.strerror}; name another with --config") from None
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise UsageError(f"{str(file)!r} is not valid TOML: {why}") from None
    walked = ""
    for name in ("tool", "obslib", "lint"):
        content = content.get(name)
        walked += f".{name}" if walked else name
        if content is None:
            return None
        if not isinstance(content, dict):
            raise UsageError(f"{walked!r} in {str(file)!r} is {reprlib.repr(content)}; it must be a table")
    return dict(content)


def _checked(file: Path, table: Mapping[str, Any]) -> Configuration:
    for key in table:
        if key not in _KEYS:
            close = difflib.get_close_matches(key.replace("_", "-"), _KEYS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(_KEYS)}"
            raise UsageError(f"[tool.obslib.lint] in {str(file)!r} has a key {key!r} that means nothing; {hint}")
    ignores = table.get(_IGNORES, {})
    if not isinstance(ignores, dict):
        raise UsageError(f"{_IGNORES!r} in {str(file)!r} is {reprlib.repr(ignores)}; it must be a table of patterns")
    lists = {name: _words(file, name, table[name]) for name in _LISTS if name in table}
    per_path = {pattern: _words(file, f"{_IGNORES}.{pattern}", codes) for pattern, codes in ignores.items()}
    for name in ("paths", "src", "components"):
        for each in lists.get(name, ()):
            if not os.path.exists(file.parent / each):
                raise UsageError(f"{name!r} in {str(file)!r} names {each!r}, which is not there; delete it, or spell it anew")
    return Configuration(root=Path(os.path.abspath(file)).parent, file=file, per_path_ignores=per_path, **lists)


def _words(file: Path, key: str, value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value):
        return tuple(value)
    raise UsageError(f"{key!r} in {str(file)!r} is {reprlib.repr(value)}; it must be a list of texts, none of them empty")
