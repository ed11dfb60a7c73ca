"""The linter keeps the peace: code that people take for an example has nothing to mend."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from obslib.lint import Project, check

_PACKAGES = {
    "structlog": 7_000, "starlette": 7_000, "httpx": 8_000, "httpcore": 7_000, "psycopg": 20_000, "psycopg_pool": 3_000,
    "uvicorn": 7_000, "anyio": 15_000, "prometheus_client": 5_000,
}  # fmt: skip
"""Well-kept packages that are installed with us, and about how many lines each has at least."""


@pytest.mark.slow
@pytest.mark.parametrize("package", _PACKAGES)
def test_a_well_kept_package_has_nothing_to_mend(package: str) -> None:
    """Plain Python, other people's loggers and other people's metrics are not cried over."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    top = Path(spec.origin).parent
    project = Project([top.parent])
    lines, found = 0, []
    for path in sorted(top.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        lines += text.count("\n")
        found += check(path, text, project).findings
    assert lines >= _PACKAGES[package] * 0.9
    assert found == []


def test_the_packages_are_many_lines() -> None:
    """More than fifty thousand lines are looked at."""
    assert sum(_PACKAGES.values()) > 50_000
