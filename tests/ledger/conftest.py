"""A repository whose ledger is right, for each test to spoil."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.shop import TESTS, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A repository in which nothing is wrong."""
    for path, text in {
        "tests/test_shop.py": TESTS,
        "specs/shop.md": "# The shop\n",
        "specs/runbooks/empty.md": "# Empty\n",
        "shop.py": "def open_door(): ...\n\nclass Door:\n    def close(self): ...\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return Shop(tmp_path)
