"""``obslib doctor``: what a component would start with, whichever catalog declares it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from obslib.cli.main import main

SHOP = """
from obslib.catalog import COMMON, Component, Plane

CATALOG = COMMON.extend("shop", components=[Component(name="till", plane=Plane.COMMON)])
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A directory with a catalog of its own, which the command runs in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "doctored_signals.py").write_text(SHOP)
    yield
    sys.modules.pop("doctored_signals", None)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("till", "--catalog", "doctored_signals:CATALOG"), 0, "node_id"),
        (("agent",), 1, "MISSING node_id: agent runs on a node; set OBSLIB_NODE_ID"),
        (("till",), 2, "use one of these, or name your own catalog with --catalog MODULE:NAME"),
        (
            ("agent", "--catalog", "doctored_signals:CATALOG"),
            2,
            "component 'agent' is not in catalog 'shop' (it has: till)",
        ),
        (
            ("--catalog", "doctored_signals:CATALOG"),
            2,
            "--catalog says where a component is declared; name the component too",
        ),
    ],
)
def test_a_component_is_looked_for_where_it_is_declared(
    words: tuple[str, ...], code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The platform's components go without saying; a service names the catalog that it starts with."""
    monkeypatch.setattr(sys, "argv", ["obslib", "doctor", *words])
    with pytest.raises(SystemExit) as ending:
        main()
    assert int(ending.value.code or 0) == code
    printed = capsys.readouterr()
    assert told in printed.out + printed.err
