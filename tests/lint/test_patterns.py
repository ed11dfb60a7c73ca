"""A pattern means what its reader thinks it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from obslib.lint.patterns import Patterns


@pytest.mark.parametrize(
    ("pattern", "path", "is_meant"),
    [
        ("vendored", "src/vendored/a.py", True),
        ("vendored", "src/vendored2/a.py", False),
        ("vendored/", "vendored/deep/er/a.py", True),
        ("*_pb2.py", "src/api/user_pb2.py", True),
        ("*_pb2.py", "src/api/user_pb3.py", False),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/api/a.py", False),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/api/deep/a.py", True),
        ("tests/**", "tests/a.py", True),
        ("./tests", "tests/a.py", True),
        ("tests", "my/tests/a.py", True),
        ("tests/api", "my/tests/api/a.py", False),
        ("a?.py", "ab.py", True),
        ("a[!b].py", "ab.py", False),
        ("a[bc].py", "ac.py", True),
        ("a.b", "aXb/x.py", False),
        ("we[ird", "we[ird/a.py", True),
    ],
)
def test_a_pattern_means_these_files(pattern: str, path: str, is_meant: bool, tmp_path: Path) -> None:
    """Stars stay within a name, two stars do not, and a name without a slash is meant at any depth."""
    assert Patterns([pattern], tmp_path).match(tmp_path / path) is is_meant


def test_no_pattern_means_nothing(tmp_path: Path) -> None:
    """An empty list excludes no file."""
    assert not Patterns([], tmp_path).match(tmp_path / "a.py")
