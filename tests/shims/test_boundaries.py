"""A shim is an adapter: it takes every name from the catalog and knows no library behind obslib."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from obslib.catalog import Dashboard, Runbook
from obslib.catalog.platform import PLATFORM

SHIMS = Path(__file__).parents[2] / "shims"
FILES = sorted(SHIMS.glob("*/obslib_*/**/*.py"))
FORBIDDEN = {"structlog", "prometheus_client", "opentelemetry"}


def test_there_are_four_shims_with_one_entry_and_one_readiness() -> None:
    """Each shim has the same entry and the same last file."""
    packages = sorted(path.parent for path in SHIMS.glob("*/obslib_*/__init__.py"))
    assert [package.name for package in packages] == ["obslib_agent", "obslib_control_plane", "obslib_edge", "obslib_scheduler"]
    for package in packages:
        assert (package / "readiness.py").exists(), package
        assert "instrument" in (package / "__init__.py").read_text(), package


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SHIMS)))
def test_a_shim_spells_no_signal_name(path: Path) -> None:
    """No string in a shim equals the name of a declared signal."""
    assert list(_spelt_names(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SHIMS)))
def test_a_shim_imports_no_library_behind_obslib_and_no_other_shim(path: Path) -> None:
    """Shims import obslib, their own package and what their host speaks."""
    own = path.relative_to(SHIMS).parts[1]
    for name in _imports(ast.parse(path.read_text())):
        root = name.split(".")[0]
        assert root not in FORBIDDEN, name
        assert not root.startswith("obslib_") or root == own, name


def test_mutant_a_spelt_name_is_found() -> None:
    """The check sees a metric name, a span name and a check name written as strings."""
    source = 'obs.metrics["edge_routes_loaded"]; obs.span(name="http.request"); f("db_connectivity")'
    assert sorted(_spelt_names(ast.parse(source))) == ["db_connectivity", "edge_routes_loaded", "http.request"]


def _spelt_names(tree: ast.Module) -> Iterator[str]:
    names = {signal.name for signal in PLATFORM.signals if not isinstance(signal, _NEVER_BOUND)} - _ALSO_PLAIN_WORDS
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
            and node.value in names
        ):
            yield node.value


_NEVER_BOUND = (Dashboard, Runbook)
"""What nobody emits: a dashboard of the edge is called edge, as the component is."""

_ALSO_PLAIN_WORDS = {"scheduler", "projections", "up"}
"""Names of loops and checks that are also words of the platform (a component, a page, an adverb)."""


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
