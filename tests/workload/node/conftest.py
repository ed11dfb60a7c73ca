"""Spools end with their test."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _spools_end(spools_end: None) -> None:
    """Every test of this folder makes some."""
