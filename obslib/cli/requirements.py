"""``obslib requirements``: which requirements are satisfied, which are open, and which rows of the ledger are wrong.

The ledger is ``requirements.json`` in the specs of a repository, and its rows point at files of that repository. Outside
of one, ``--specs DIR`` says where the specs are; paths of rows start from the directory above them.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from obslib.cli.commands import commands as every_command
from obslib.errors import UsageError
from obslib.ledger import (
    FILE,
    PAGE,
    REFERENCES,
    Command,
    Inventory,
    Judgement,
    Row,
    Standing,
    judge,
    read,
    sections_in,
    spellings,
)

__all__ = ["add"]

_WIDTH = 128


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("requirements", help="print which requirements are satisfied, open, or wrongly claimed")
    command.add_argument("ids", nargs="*", metavar="ID", help="only these rows, in full: an id, or the start of some (WLG)")
    chosen = command.add_mutually_exclusive_group()
    chosen.add_argument("--open", action="store_true", help="list only what is open")
    chosen.add_argument("--wrong", action="store_true", help="list only what is wrong")
    command.add_argument("--specs", type=Path, default=Path("specs"), metavar="DIR", help="where requirements.json is (specs)")
    command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    command.set_defaults(run=lambda arguments: _run(arguments, every_command(commands)))


def _run(arguments: argparse.Namespace, commands: Sequence[Command]) -> int:
    file = arguments.specs / FILE
    if not file.is_file():
        raise UsageError(f"there is no {file}; run this in the repository, or say where its specs are with --specs")
    inventory = _inventory(arguments.specs.resolve().parent, commands)
    judgement = judge(read(file), inventory, sections=sections_in(arguments.specs / PAGE))
    for wanted in arguments.ids:
        if not any(_is_meant(row.id, wanted) for row, _ in judgement.rows):
            raise UsageError(f"no requirement is called {wanted!r}; 'obslib requirements' lists them")
    chosen = [(row, standing) for row, standing in judgement.rows if _is_chosen(row, arguments.ids)]
    listed = [(row, standing) for row, standing in chosen if _is_listed(standing, arguments)]
    if arguments.json:
        print(json.dumps(_document(judgement, listed), indent=2))
    elif arguments.ids:
        for row, standing in listed:
            _print_in_full(row, standing, judgement)
    else:
        _print_all(judgement, arguments)
    is_wrong = any(standing is Standing.WRONG for _, standing in chosen) or (judgement.findings and not arguments.ids)
    return 1 if is_wrong else 0


def _inventory(root: Path, commands: Sequence[Command]) -> Inventory:
    from obslib.catalog import common, platform
    from obslib.logs.admission import MANDATORY
    from obslib.settings import SETTINGS

    modules = (common, *(module for module in vars(platform).values() if isinstance(module, ModuleType)))
    return Inventory(
        catalog=platform.PLATFORM,
        constants=spellings(modules),
        fields=frozenset((*platform.PLATFORM.fields, *MANDATORY)),
        commands=tuple(commands),
        settings={setting.name: setting.variable for setting in SETTINGS},
        root=root,
    )


def _is_meant(id: str, given: str) -> bool:
    return id == given or id.startswith(f"{given}-")


def _is_chosen(row: Row, ids: Sequence[str]) -> bool:
    return not ids or any(_is_meant(row.id, given) for given in ids)


def _is_listed(standing: Standing, arguments: argparse.Namespace) -> bool:
    only = Standing.OPEN if arguments.open else Standing.WRONG if arguments.wrong else standing
    return standing is only


def _document(judgement: Judgement, rows: Iterable[tuple[Row, Standing]]) -> dict[str, object]:
    return {
        "counts": {standing.value: judgement.count(standing) for standing in Standing},
        "findings": [{"about": finding.about, "sentence": finding.sentence} for finding in judgement.findings],
        "rows": [
            {
                "id": row.id, "standing": standing, "kind": row.kind, "requirement": row.requirement, "lines": row.lines,
                "source": row.source, "open": row.open, **{name: list(row.of(name)) for name in REFERENCES if row.of(name)},
            }
            for row, standing in rows
        ],
    }  # fmt: skip


def _print_all(judgement: Judgement, arguments: argparse.Namespace) -> None:
    if judgement.findings and not arguments.open:
        print("wrong")
        for finding in judgement.findings:
            _print_entry(finding.about, finding.sentence)
    if judgement.count(Standing.OPEN) and not arguments.wrong:
        print("open")
        for row in (row for row, standing in judgement.rows if standing is Standing.OPEN):
            _print_entry(row.id, f"{row.requirement} Missing: {row.open}")
    if not arguments.open and not arguments.wrong:
        print("satisfied")
        held = " ".join(row.id for row, standing in judgement.rows if standing is Standing.SATISFIED)
        print(textwrap.fill(held, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False))
    counted = ", ".join(f"{judgement.count(standing)} {standing}" for standing in reversed(Standing))
    print(f"{len(judgement.rows)} requirements: {counted}")


def _print_in_full(row: Row, standing: Standing, judgement: Judgement) -> None:
    _print_entry(row.id, f"{standing}: {row.requirement}")
    origin = f"architecture, lines {row.lines}" if row.lines else row.source
    told = [(row.kind.value, origin)]
    told += [(kind.replace("_", " "), name) for kind in REFERENCES for name in row.of(kind)]
    told += [("missing", row.open)] if row.open else []
    told += [("wrong", finding.sentence) for finding in judgement.findings if finding.about == row.id]
    for what, said in told:
        print(f"  {'':10} {what:12} {said}")


def _print_entry(about: str, sentence: str) -> None:
    print(textwrap.fill(sentence, _WIDTH, initial_indent=f"  {about:10} ", subsequent_indent=" " * 13, break_on_hyphens=False))
