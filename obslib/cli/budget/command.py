"""``obslib budget``: how many series there can be at worst, what a platform of a size holds, and whether that was agreed on.

Exit code 0 when every budget is kept (with ``--check``: and nothing differs from the lock file), 1 when one is not, 2
when the question cannot be answered.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable
from pathlib import Path

from obslib.budget import (
    MOST,
    Bound,
    PlatformBudget,
    PlatformSize,
    Quotas,
    deltas,
    locked,
    offences,
    platform_budget,
    read_lock,
    render_lock,
)
from obslib.catalog import Catalog, Measure
from obslib.catalog.budget import BudgetExceeded, Budgets
from obslib.cli.budget import document, text
from obslib.cli.catalogs import add_catalog, load_catalog, require_component
from obslib.errors import SettingsError, UsageError

__all__ = ["add"]

_LOCK = Path("specs/budget.lock")
_MEASURES = tuple(measure.value for measure in Measure)
_ALWAYS_KNOWN = (Measure.NODES, Measure.EDGES)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "budget", help="print how many series a family, a component and a platform can reach at worst",
        description="Print the proven worst case of every family beside the naive product of its labels' bounds; given a "
        "size, also what a platform of that size holds in one Prometheus; and what each bound rests on.",
    )  # fmt: skip
    command.add_argument("component", nargs="?", default="", metavar="COMPONENT", help="only this one, with all its families")
    for measure in _MEASURES:
        unsaid = "1" if measure in _ALWAYS_KNOWN else "unknown, so that only the labels' own bounds count"
        command.add_argument(
            f"--{measure}", type=_count, metavar="N", help=f"how many {measure} the platform has (default: {unsaid})"
        )
    command.add_argument(
        "--processes", type=_processes, action="append", default=[], metavar="COMPONENT=N",
        help="how many processes of a component run (default: an agent a node, an edge an edge, one of any other)",
    )  # fmt: skip
    command.add_argument("--quotas", type=Path, metavar="FILE", help="the quotas that the control plane enforces, in TOML")
    kept = command.add_mutually_exclusive_group()
    kept.add_argument("--lock", action="store_true", help="write every bound to the lock file")
    kept.add_argument("--check", action="store_true", help="exit 1 and say what differs from the lock file, and why")
    command.add_argument("--lock-file", type=Path, metavar="FILE", help=f"another lock file than {_LOCK}")
    add_catalog(command)
    command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    _require_one_question(arguments)
    try:
        catalog = _catalog(arguments.catalog)
    except BudgetExceeded as error:
        found = offences(error.budgets)
        _print(document.of_offences(error, found) if arguments.json else text.of_offences(error, found))
        return 1
    if arguments.lock:
        return _lock(catalog, arguments.lock_file or _LOCK, as_json=arguments.json)
    if arguments.check:
        return _check(catalog, arguments.lock_file or _LOCK, as_json=arguments.json)
    return _show(catalog, arguments)


def _require_one_question(arguments: argparse.Namespace) -> None:
    about = [f"--{name}" for name in (*_MEASURES, "processes", "quotas") if getattr(arguments, name)]
    about += [arguments.component] if arguments.component else []
    if about and (arguments.lock or arguments.check):
        raise UsageError(f"a lock file is about all bounds and about no size; leave out {', '.join(about)}")
    if arguments.lock_file and not (arguments.lock or arguments.check):
        raise UsageError("--lock-file says which file to write or to compare with; add --lock or --check")


def _catalog(spelt: str) -> Catalog:
    """The catalog that is meant; raises BudgetExceeded where there is none because it passes a budget."""
    try:
        return load_catalog(spelt)
    except UsageError as error:
        if isinstance(error.__cause__, BudgetExceeded):
            raise error.__cause__ from None
        raise


def _show(catalog: Catalog, arguments: argparse.Namespace) -> int:
    chosen = [require_component(catalog, arguments.component).name] if arguments.component else list(catalog.components)
    budgets = {name: catalog.budget(name) for name in chosen}
    platform = _platform(catalog, arguments)
    bounds = [bound for bound in platform.bounds if _is_used(bound, budgets)]
    is_sized = any(getattr(arguments, name) for name in (*_MEASURES, "processes"))
    if arguments.json:
        _print(document.of_catalog(catalog, budgets, platform if is_sized else None, bounds))
    else:
        _print(text.of_catalog(budgets, platform if is_sized else None, bounds, is_in_full=bool(arguments.component)))
    return 0


def _is_used(bound: Bound, budgets: Budgets) -> bool:
    declarations = (budget.declaration for listed in budgets.values() for budget in listed)
    return any(set(bound.labels) <= set(declaration.label_names) for declaration in declarations)


def _platform(catalog: Catalog, arguments: argparse.Namespace) -> PlatformBudget:
    for component, _ in arguments.processes:
        require_component(catalog, component)
    counts = {name: count for name in _MEASURES if (count := getattr(arguments, name)) is not None}
    try:
        quotas = Quotas.load(arguments.quotas) if arguments.quotas else None
    except SettingsError as error:
        raise UsageError(str(error)) from None
    return platform_budget(catalog, PlatformSize(processes=dict(arguments.processes), **counts), quotas)


def _lock(catalog: Catalog, path: Path, *, as_json: bool) -> int:
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        raise UsageError(f"the lock file {str(path)!r} cannot be written: it is no regular file; name another with --lock-file")
    draft = Path(f"{place}.new")
    try:
        draft.write_text(render_lock(catalog), encoding="utf-8")
        os.replace(draft, place)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(
            f"the lock file {str(path)!r} cannot be written: {error.strerror}; name another with --lock-file"
        ) from None
    families = sum(len(catalog.budget(name)) for name in catalog.components)
    _print({"lock": str(path), "families": families} if as_json else [f"{families} families written, in {path}"])
    return 0


def _check(catalog: Catalog, path: Path, *, as_json: bool) -> int:
    found = deltas(read_lock(path, catalog=catalog), locked(catalog))
    is_same = not found and path.read_bytes() == render_lock(catalog).encode()
    if as_json:
        _print({"lock": str(path), "is_same": is_same, "deltas": document.of_deltas(found)})
    elif is_same:
        _print([f"every bound is as agreed on, in {path}"])
    else:
        _print(text.of_deltas(found, path))
    return 0 if is_same else 1


def _print(answer: dict[str, object] | Iterable[str]) -> None:
    print(json.dumps(answer, indent=2) if isinstance(answer, dict) else "\n".join(answer))


def _count(spelt: str) -> int:
    count = int(spelt) if spelt.isascii() and spelt.isdigit() and len(spelt) <= len(str(MOST)) else 0
    if not 1 <= count <= MOST:
        raise argparse.ArgumentTypeError(f"{spelt!r} is no whole number from 1 to {MOST}")
    return count


def _processes(spelt: str) -> tuple[str, int]:
    component, _, count = spelt.rpartition("=")
    if not component:
        raise argparse.ArgumentTypeError(f"{spelt!r} is not spelt COMPONENT=N, as in control-plane=2")
    return component, _count(count)
