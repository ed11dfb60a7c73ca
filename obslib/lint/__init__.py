"""The linter: whether code, before it runs, uses telemetry the way the catalog declares it.

A file is parsed and walked once (``walk``), names are followed to what they stand for (``evaluation``), what is done with
telemetry becomes a list of uses (``reading``), and each rule looks at the uses of one kind (``rules``). Nothing of the
linted project is run or imported. The engine is imported when it is first asked for: a run whose answers are all kept does
without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obslib.lint.checking import Checked, check
    from obslib.lint.finding import Edit, Finding, Place
    from obslib.lint.module import Project
    from obslib.lint.rule import Page, Problem, Repair, Rule
    from obslib.lint.rules import RULES

__all__ = ["RULES", "Checked", "Edit", "Finding", "Page", "Place", "Problem", "Project", "Repair", "Rule", "check"]

_ROOMS = {
    "RULES": "rules", "Checked": "checking", "Edit": "finding", "Finding": "finding", "Place": "finding", "Project": "module",
    "check": "checking",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'rule')}"), name)
    return found
