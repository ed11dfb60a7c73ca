"""The demo's faults can be found by whoever looks for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from miniplatform.demo import FAULTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("where", ["Makefile", "README.md"])
def test_every_fault_is_named_where_people_look(where: str) -> None:
    """As one list, in the order of the table, to be copied from."""
    assert f"BREAK={'|'.join(FAULTS)}" in (ROOT / where).read_text()


def test_the_help_of_the_demo_names_every_fault() -> None:
    """Also for those who do not use make."""
    done = subprocess.run(
        [sys.executable, "-m", "miniplatform", "demo", "--help"],
        cwd=ROOT / "examples", capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert [name for name in FAULTS if name not in done.stdout] == []


def test_every_fault_says_by_what_it_is_known() -> None:
    """The platform's own words for it, which the demo and the tests wait for."""
    assert all(fault.reasons and fault.__doc__ for fault in FAULTS.values())
