"""``obslib explain``: the manual page of a rule of the linter, with examples."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obslib.lint.rulebook import Entry

__all__ = ["add"]

_WIDTH = 100
_EXAMPLES = 3


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("explain", help="print the manual page of a rule of the linter, or the list of all")
    command.add_argument("rules", nargs="*", metavar="RULE", help="a code such as OBS101, a name, or the beginning of codes")
    command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from obslib.lint.rulebook import chosen, rulebook

    codes = chosen(arguments.rules, where="explain") if arguments.rules else frozenset(rulebook())
    entries = [entry for code, entry in rulebook().items() if code in codes]
    if arguments.json:
        print(json.dumps({"rules": [asdict(entry) for entry in entries]}, indent=2))
    elif arguments.rules:
        print("\n\n".join("\n".join(_page(entry)) for entry in entries))
    else:
        widest = max(len(entry.name) for entry in entries)
        for entry in entries:
            print(f"{entry.code}  {entry.name:{widest}}  {entry.summary}")
    return 0


def _page(entry: Entry) -> Iterator[str]:
    from obslib.lint import RULES

    width = min(shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH, _WIDTH)
    yield f"{entry.code} {entry.name}"
    yield ""
    yield from textwrap.wrap(entry.summary, width)
    for label, text in (("Why", entry.page.why), ("Fix", entry.page.fix)):
        yield ""
        yield from textwrap.wrap(f"{label}: {text}", width)
    for label, examples in (("Reported:", entry.bad), ("Not reported:", entry.good)):
        for number, example in enumerate(examples[:_EXAMPLES]):
            yield ""
            yield label if number == 0 else "    # or"
            yield textwrap.indent(textwrap.dedent(example).strip("\n") or "(nothing)", "    ")
    if entry.code in RULES:
        yield ""
        yield f"To suppress it: # obslib: ignore[{entry.code}] reason"
