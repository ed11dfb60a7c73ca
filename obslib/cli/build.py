"""``obslib build``: render what follows from the catalog into the specs, or say which file is stale."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from obslib.catalog import Catalog, Dashboard, Runbook
from obslib.errors import SpecError, UsageError
from obslib.render import fill, grafana, missing_sections, names_in, rule_file, scrape_config, tables
from obslib.settings import SETTINGS

__all__ = ["add", "render"]

_SPECS = Path("specs")
_GENERATED = Path("generated")
_RULES = "alerts.rules.yml"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("build", help="render rules, dashboards and tables from the catalog into the specs")
    command.add_argument("--check", action="store_true", help="write nothing; exit 1 and name each file that is stale")
    command.add_argument("--out", type=Path, metavar="DIR", help="directory of the specs (default: specs)")
    command.add_argument(
        "--shorten", type=_factor, metavar="FACTOR", default=1.0,
        help="divide every window, age and wait of the alerts by FACTOR, to see them fire; needs --out",
    )  # fmt: skip
    command.set_defaults(run=_run)


def render(catalog: Catalog, directory: Path, *, shorten: float = 1.0, is_whole: bool = False) -> Mapping[Path, str]:
    """The text of every rendered file, by its path below ``directory``, whose pages (in it and one level below) are read.

    Raises SpecError for a page whose markers cannot be filled, and for a runbook that is missing or lacks a section; for
    specs that have to be whole also for a table that no page asks for. Others may have any pages, or none.
    """
    from obslib.lint.rulebook import rulebook

    boards = {f"dashboards/{board.plane.value}/{board.name}.json": grafana(board) for board in catalog.of(Dashboard)}
    files = {
        _RULES: rule_file(catalog, shorten=shorten),
        "prometheus.yml": scrape_config(catalog, rule_files=(_RULES,), shorten=shorten),
        **boards,
    }
    rendered = {_GENERATED / name: text for name, text in files.items()}
    parts = tables(catalog, SETTINGS, rulebook().values())
    asked_for: set[str] = set()
    for path in _pages(directory):
        page = _read(path) or ""
        filled = fill(page, parts, where=str(path))
        if names_in(page):
            rendered[path.relative_to(directory)] = filled
            asked_for.update(names_in(page))
    if is_whole:
        _require_tables(parts, asked_for, directory)
    _check_runbooks(catalog, directory / "runbooks")
    return rendered


def _run(arguments: argparse.Namespace) -> int:
    from obslib.catalog.platform import PLATFORM

    directory = arguments.out or _SPECS
    try:
        _require_place(directory, arguments)
        rendered = render(PLATFORM, directory, shorten=arguments.shorten, is_whole=directory.resolve() == _SPECS.resolve())
        stale = [path for path, text in rendered.items() if not _holds(directory / path, text)]
        if arguments.check:
            return _report(directory, stale, rendered)
        for path in stale:
            _write(directory / path, rendered[path])
    except OSError as error:
        raise UsageError(f"{error.filename or directory} cannot be used ({error.strerror}); name another with --out") from None
    print(f"{len(stale)} of {len(rendered)} files written, in {directory}")
    return 0


def _require_place(directory: Path, arguments: argparse.Namespace) -> None:
    is_short = arguments.shorten != 1.0
    if is_short and arguments.check:
        raise UsageError("--check compares with what is kept, which is never shortened; leave out --shorten")
    if is_short and arguments.out is None:
        raise UsageError("--shorten would put shortened alerts where the real ones are kept; name a directory with --out")
    if is_short and _pages(directory):
        raise UsageError(f"{str(directory)!r} holds pages, so its alerts are the real ones; name an empty directory with --out")
    if not directory.is_dir() and (arguments.check or arguments.out is None):
        raise UsageError(f"there is no directory {str(directory)!r} here; run it in the repository, or name one with --out")


def _report(directory: Path, stale: list[Path], rendered: Mapping[Path, str]) -> int:
    found = [path.relative_to(directory) for path in (directory / _GENERATED).rglob("*") if path.is_file()]
    stray = sorted(path for path in found if path not in rendered)
    for path in stale:
        print(f"stale: {directory / path}; run 'obslib build'", file=sys.stderr)
    for path in stray:
        print(f"stray: {directory / path}; nothing renders it, delete it", file=sys.stderr)
    if stale or stray:
        return 1
    print(f"{len(rendered)} files are as rendered, in {directory}")
    return 0


def _pages(directory: Path) -> list[Path]:
    """The pages of specs; no deeper, so that no directory that somebody names is walked to its end."""
    return sorted((*directory.glob("*.md"), *directory.glob("*/*.md")))


def _require_tables(tables: Collection[str], asked_for: Collection[str], directory: Path) -> None:
    lost = [name for name in tables if name not in asked_for]
    if lost:
        raise SpecError(
            f"no page of {directory} asks for the table {', '.join(map(repr, lost))}; "
            f"put '<!-- generated: {lost[0]} -->' and '<!-- end -->' back where it is read"
        )


def _check_runbooks(catalog: Catalog, directory: Path) -> None:
    if not directory.is_dir():
        return
    for book in catalog.of(Runbook):
        text = _read(directory / book.path)
        if text is None:
            raise SpecError(f"runbook {book.name!r} has no page; write {directory / book.path}")
        missing = missing_sections(text)
        if missing:
            raise SpecError(f"{directory / book.path} lacks a section: {', '.join(missing)}")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not UTF-8 text; write it anew") from None


def _holds(path: Path, text: str) -> bool:
    """Whether the file is this text to the byte; other ends of lines are another file."""
    try:
        return path.read_bytes() == text.encode()
    except FileNotFoundError:
        return False


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(text.encode())
    os.replace(draft, path)


def _factor(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1.0 <= value <= 1_000.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000")
    return value
