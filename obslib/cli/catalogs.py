"""Which catalog a command works on: the platform's own, or the one that ``--catalog MODULE:NAME`` names.

Another product's catalog is a Python object, so it is imported; the directory that the command runs in comes first, as with
``python -m``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from contextlib import redirect_stdout

from obslib.catalog import Catalog, Component
from obslib.errors import UnknownSignal, UsageError

__all__ = ["add_catalog", "load_catalog", "require_component"]


def add_catalog(command: argparse.ArgumentParser) -> None:
    """Give ``command`` the flag ``--catalog``; ``load_catalog(arguments.catalog)`` reads it."""
    command.add_argument(
        "--catalog", metavar="MODULE:NAME", default="",
        help="the catalog to check against, imported from here (default: obslib.catalog.platform:PLATFORM)",
    )  # fmt: skip


def load_catalog(spelt: str = "") -> Catalog:
    """The catalog called ``spelt``, the platform's when that is empty; raises UsageError when there is none.

    Importing a module runs it: name only one that the commands of its product would import too.
    """
    if not spelt:
        from obslib.catalog.platform import PLATFORM

        return PLATFORM
    module, _, name = spelt.partition(":")
    if not module or not name:
        raise UsageError(f"catalog {spelt!r} is not spelt MODULE:NAME, as in obslib.catalog.platform:PLATFORM")
    found = _imported(module, name, spelt)
    if not isinstance(found, Catalog):
        what = f"no {name!r}" if found is None else f"{name!r}, which is no Catalog but {found!r:.80}"
        raise UsageError(f"catalog {spelt!r} is not there: module {module!r} has {what}")
    return found


def require_component(catalog: Catalog, name: str) -> Component:
    """The component called ``name``; raises UsageError, with the way to another catalog, when there is none."""
    try:
        return catalog.component(name)
    except UnknownSignal:
        known = ", ".join(catalog.components) or "none"
        raise UsageError(
            f"component {name!r} is not in catalog {catalog.name!r} (it has: {known}); "
            "use one of these, or name your own catalog with --catalog MODULE:NAME"
        ) from None


def _imported(module: str, name: str, spelt: str) -> object:
    """What the module holds under a dotted name, None where it holds nothing."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        with redirect_stdout(sys.stderr):
            found: object = importlib.import_module(module)
            for part in name.split("."):
                found = getattr(found, part, None)
            return found
    except (Exception, SystemExit) as error:
        said = " ".join(str(error).split()) or "without a word"
        is_nowhere = isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]
        way_out = "; install its project, or name the folder it is in with PYTHONPATH" if is_nowhere else ""
        raise UsageError(
            f"catalog {spelt!r} cannot be imported from {here}: {type(error).__name__}: {said}{way_out}"
        ) from error
