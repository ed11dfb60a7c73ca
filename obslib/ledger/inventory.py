"""What there is: the names that a row may point at, and how a test would spell each of them."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from obslib.catalog import (
    Alert,
    Catalog,
    Check,
    Cursor,
    Dashboard,
    Declaration,
    ExternalMetric,
    Family,
    LogEvent,
    Loop,
    Operation,
    Retention,
    Runbook,
    SpanKind,
)

__all__ = ["Command", "Inventory", "MissingError", "spellings", "without_labels"]

_KINDS: Mapping[str, tuple[type[Declaration], ...]] = {
    "metrics": (Family, ExternalMetric), "log_events": (LogEvent,), "spans": (SpanKind,), "checks": (Check,),
    "loops": (Loop,), "operations": (Operation,), "cursors": (Cursor,), "retention": (Retention,), "alerts": (Alert,),
    "dashboards": (Dashboard,), "runbooks": (Runbook,),
}  # fmt: skip


_METRIC = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>\w+(?:,\w+)*)\})?")


class MissingError(LookupError):
    """A row points at something that does not exist; the message says what, and what it may have meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as the operator types it, without its arguments, and the flags it takes."""

    words: tuple[str, ...]
    flags: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything that exists, as far as a row can name it.

    ``constants`` are the Python names of the catalog's declarations, ``fields`` those that a line may carry (the
    mandatory ones too), ``settings`` maps each setting to its variable. ``root`` is the directory that the paths of
    rows start from: the repository's.
    """

    catalog: Catalog
    constants: Mapping[Declaration, frozenset[str]]
    fields: frozenset[str]
    commands: tuple[Command, ...]
    settings: Mapping[str, str]
    root: Path

    def signal(self, kind: str, name: str) -> Declaration:
        """The declaration of that name; raises MissingError."""
        known = {signal.name: signal for each in _KINDS[kind] for signal in self.catalog.of(each)}
        if name not in known:
            raise MissingError(f"{_noun(kind)} {name!r} is not in catalog {self.catalog.name!r}{_meant(name, known)}")
        found = known[name]
        if isinstance(found, Runbook) and not (self.root / "specs" / "runbooks" / found.path).is_file():
            raise MissingError(f"runbook {name!r} is declared, but there is no specs/runbooks/{found.path}")
        return found

    def serving(self, row: str) -> Iterator[tuple[str, Declaration]]:
        """The declarations that say they answer ``row``, with the kind under which it lists them.

        Neither what others export nor cursors, which are parts of their loops.
        """
        for kind, types in _KINDS.items():
            for signal in self.catalog.signals if kind != "cursors" else ():
                if isinstance(signal, types) and row in signal.serves and not isinstance(signal, ExternalMetric):
                    yield kind, signal

    def spellings(self, kind: str, name: str) -> frozenset[str]:
        """How code may name this reference; raises MissingError when it does not exist."""
        match kind:
            case "fields":
                if name not in self.fields:
                    raise MissingError(f"field {name!r} is not in catalog {self.catalog.name!r}{_meant(name, self.fields)}")
                return frozenset({name})
            case "settings":
                if name not in self.settings:
                    raise MissingError(f"there is no setting {name!r}{_meant(name, self.settings)}")
                return frozenset({name, self.settings[name]})
            case "code":
                return frozenset({self._code(name)})
        found = self.metric(name) if kind == "metrics" else self.signal(kind, name)
        return frozenset({found.name, *_other_names(found), *self.constants.get(found, ())})

    def metric(self, reference: str) -> Declaration:
        """The metric of a reference such as ``http_requests_total{method,status_class}``; raises MissingError.

        Without braces it claims to have no labels. Those that a process puts on every sample may be left out.
        """
        parts = _METRIC.fullmatch(reference)
        if parts is None:
            raise MissingError(
                f"metric {reference!r} is not understood; write 'name', or 'name{{label,label}}' where it has labels"
            )
        labels = frozenset((parts["labels"] or "").split(",")) - {""}
        found = self.signal("metrics", parts["name"])
        own = frozenset(found.label_names) if isinstance(found, (Family, ExternalMetric)) else frozenset[str]()
        if not own <= labels <= own | self._constant(found):
            raise MissingError(
                f"names {reference!r}, but {found!r} has {'other' if own else 'no'} labels; "
                f"write {_spelt(found)!r}, or correct the declaration"
            )
        return found

    def _constant(self, metric: Declaration) -> frozenset[str]:
        on_nodes = any(c.has_node and self.catalog.exports(metric, c.name) for c in self.catalog.components.values())
        return frozenset({"node_id"}) if on_nodes else frozenset()

    def command(self, line: str) -> tuple[Command, tuple[str, ...]]:
        """The command that ``line`` names and the flags it names; raises MissingError."""
        words = tuple(word for word in line.split() if not word.startswith("-"))
        flags = tuple(word for word in line.split() if word.startswith("-"))
        found = next((command for command in self.commands if command.words == words), None)
        if found is None:
            raise MissingError(f"there is no command {' '.join(words)!r}{_meant(' '.join(words), map(_line, self.commands))}")
        for flag in flags:
            if flag not in found.flags:
                raise MissingError(f"command {_line(found)!r} takes no {flag}{_meant(flag, found.flags)}")
        return found, flags

    def require_document(self, path: str) -> None:
        """Raise MissingError unless there is a document at ``path`` below the root, with something in it."""
        try:
            if not (self.root / path).resolve().is_relative_to(self.root.resolve()):
                raise MissingError(
                    f"document {path!r} is not in the repository; name it from the root, as in 'specs/logging.md'"
                )
            text = (self.root / path).read_text(encoding="utf-8")
        except (OSError, RuntimeError, ValueError):  # a loop of links, no UTF-8, a name that no file can have
            raise MissingError(f"document {path!r} does not exist") from None
        if not text.strip():
            raise MissingError(f"document {path!r} is empty")

    def _code(self, name: str) -> str:
        *parts, last = name.split(".") if all(map(str.isidentifier, name.split("."))) else [name]
        homes = (self.root, *sorted((self.root / "shims").glob("*")), self.root / "examples")
        for home in homes:
            for depth in range(len(parts), 0, -1):
                at = home.joinpath(*parts[:depth])
                for file in (at.with_suffix(".py"), at / "__init__.py"):
                    if _defines(_statements(file), [*parts[depth:], last]):
                        return last
        raise MissingError(f"nothing is called {name!r}; name it as it is imported, as in 'obslib.access.authorize'")


def without_labels(reference: str) -> str:
    """The name in a reference: what stands before the labels, where there are some."""
    return reference.partition("{")[0]


def _spelt(metric: Declaration) -> str:
    labels = metric.label_names if isinstance(metric, (Family, ExternalMetric)) else ()
    return f"{metric.name}{{{','.join(labels)}}}" if labels else metric.name


def spellings(modules: Iterable[ModuleType]) -> dict[Declaration, frozenset[str]]:
    """The Python names under which the modules hold their declarations."""
    found: dict[Declaration, set[str]] = {}
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, Declaration):
                found.setdefault(value, set()).add(name)
    return {declaration: frozenset(names) for declaration, names in found.items()}


def _statements(file: Path) -> list[ast.stmt]:
    """What the file says; nothing when there is none, or can be none by that name."""
    try:
        source = file.read_bytes() if file.is_file() else b""
    except OSError:
        return []
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise MissingError(f"{file.name} is no Python ({error}), so nothing in it can be named") from None


def _other_names(signal: Declaration) -> tuple[str, ...]:
    match signal:
        case Runbook(path=path):
            return (path,)
        case Dashboard(uid=uid):
            return (uid,)
        case Retention(key=key):
            return (key,)
    return ()


def _defines(body: list[ast.stmt], names: list[str]) -> bool:
    """Whether the statements define or import ``names[0]``, a class of them ``names[1]``, and so on."""
    first, *rest = names
    for statement in body:
        match statement:
            case ast.ClassDef(name=name, body=inner) if name == first:
                return not rest or _defines(inner, rest)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name == first:
                return not rest
            case ast.Assign(targets=targets) if any(isinstance(t, ast.Name) and t.id == first for t in targets):
                return not rest
            case ast.AnnAssign(target=ast.Name(id=name)) if name == first:
                return not rest
            case ast.ImportFrom(names=imported) if any((alias.asname or alias.name) == first for alias in imported):
                return not rest
    return False


def _noun(kind: str) -> str:
    return kind.removesuffix("s").replace("_", " ") + (" key" if kind == "retention" else "")


def _line(command: Command) -> str:
    return " ".join(command.words)


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
