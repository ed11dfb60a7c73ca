"""The lock file: every bound as it was last agreed on, so that a wider one is a line in a review.

TOML, one line for each family of each component, sorted, so that a diff shows what changed and nothing else::

    [component.agent]
    agent_boot_phase_duration_seconds = { series = 96, samples = 12, by = { kind = 8 } }

``by`` multiplies; labels of a joint domain stand together (``"env_id x process_type" = 257``), one that another
determines multiplies by 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from obslib.budget.toml import read_toml
from obslib.catalog import Catalog
from obslib.catalog.budget import FamilyBudget
from obslib.errors import UsageError

__all__ = ["TOGETHER", "Entry", "Locked", "locked", "read_lock", "render_lock"]

_HEADER = "# How many series each family can reach at worst: written by 'obslib budget --lock', compared by --check.\n"
TOGETHER = " x "
"""Stands between the labels of a joint domain."""

_AGAIN = "write it with --lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One family: its factors by label (joint ones as ``"a x b"``) and the samples of each combination."""

    by: Mapping[str, int]
    samples: int

    @property
    def series(self) -> int:
        """The worst case."""
        return prod(self.by.values()) * self.samples


Locked = Mapping[str, Mapping[str, Entry]]
"""Entries by component and family."""


def locked(catalog: Catalog) -> Locked:
    """What the lock file of a catalog holds."""
    return {
        component: {budget.family: _entry(budget) for budget in sorted(catalog.budget(component), key=lambda b: b.family)}
        for component in sorted(catalog.components)
    }


def render_lock(catalog: Catalog) -> str:
    """The text of the lock file."""
    lines = [_HEADER + f"catalog = {_text(catalog.name)}"]
    for component, families in locked(catalog).items():
        lines += ["", f"[component.{component}]"]
        lines += [f"{family} = {_line(entry)}" for family, entry in families.items()]
    return "\n".join(lines) + "\n"


def read_lock(path: Path, *, catalog: Catalog) -> Locked:
    """What the file at ``path`` holds; raises UsageError when there is none, or none of this catalog."""
    content = read_toml(path, what="the lock file", way_out=_AGAIN, refusal=UsageError)
    if content.get("catalog") != catalog.name:
        raise UsageError(f"the lock file {str(path)!r} is not one of catalog {catalog.name!r}; name another, or {_AGAIN}")
    try:
        return {
            component: {family: _read(entry) for family, entry in families.items()}
            for component, families in content.get("component", {}).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UsageError(f"the lock file {str(path)!r} is damaged; {_AGAIN}") from None


def _entry(budget: FamilyBudget) -> Entry:
    by = {TOGETHER.join(factor.labels): factor.bound for factor in budget.factors}
    return Entry(by=dict(sorted(by.items())), samples=budget.samples_per_series)


def _line(entry: Entry) -> str:
    samples = f", samples = {entry.samples}" if entry.samples > 1 else ""
    named = ", ".join(f"{_text(labels) if TOGETHER in labels else labels} = {bound}" for labels, bound in entry.by.items())
    return f"{{ series = {entry.series}{samples}" + (f", by = {{ {named} }}" if named else "") + " }"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _read(content: Mapping[str, Any]) -> Entry:
    entry = Entry(
        by={str(labels): _whole(bound) for labels, bound in content.get("by", {}).items()},
        samples=_whole(content.get("samples", 1)),
    )
    if entry.series != content["series"]:
        raise ValueError(content["series"])
    return entry


def _whole(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(value)
    return value
