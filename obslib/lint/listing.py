"""The rules of a folder: one a file, found by listing it, so that a new rule is a new file and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType
from typing import Any

__all__ = ["rules_in"]


def rules_in(package: ModuleType, kind: type[Any]) -> Mapping[str, Any]:
    """Every class of ``kind`` that a module of ``package`` defines, by its code and in the order of codes."""
    modules = (import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__))
    found: list[Any] = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, kind) and value.__module__ == module.__name__
    ]
    return MappingProxyType({rule.code: rule for rule in sorted(found, key=lambda rule: rule.code)})
