"""The rules about scrapes, rule files and dashboards, one file each; whatever stands in this folder is a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

from obslib.lint.artifacts.rule import ArtifactRule

__all__ = ["ARTIFACT_RULES"]


def _rules() -> Iterator[type[ArtifactRule[Any]]]:
    for found in iter_modules(__path__):
        module = import_module(f"{__name__}.{found.name}")
        yield from (
            value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__
            and issubclass(value, ArtifactRule)
        )  # fmt: skip


ARTIFACT_RULES: Mapping[str, type[ArtifactRule[Any]]] = MappingProxyType(
    {rule.code: rule for rule in sorted(_rules(), key=lambda rule: rule.code)}
)
"""Every rule about artifacts by its code."""
