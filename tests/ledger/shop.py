"""A small repository with a catalog of its own and a ledger in which nothing is wrong, made to be spoilt."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from obslib.catalog import (
    Alert,
    Catalog,
    Check,
    Component,
    Dashboard,
    Field,
    Importance,
    Label,
    Plane,
    Rule,
    Runbook,
    Scene,
    Series,
    Severity,
    gauge,
    log_event,
    query,
    span_kind,
)
from obslib.ledger import FILE, PAGE, Command, Inventory, Judgement, judge, read, sections_in, spellings

SHELF = Field(name="shelf", help="Where it lies.")


AISLE = Label.closed("aisle", "a", "b")


@gauge("stock", serves=("SHOP-01", "SHOP-06"))
def STOCK(*, aisle: Annotated[str, AISLE]) -> None:
    """Things in stock."""


@log_event("shop.opened", serves=("SHOP-02",))
def OPENED(*, shelf: Annotated[str, SHELF]) -> None:
    """Shop opened."""


@span_kind("shop.sale", serves=("SHOP-03",))
def SALE() -> None:
    """One sale."""


TILL = Check(name="till", help="The till opens.", plane=Plane.COMMON, serves=("SHOP-04",), importance=Importance.REQUIRED)
EMPTY = Runbook(name="empty", help="What to do.", plane=Plane.COMMON, serves=("SHOP-06",), path="empty.md")
GONE = Rule(
    severity=Severity.PAGE, for_s=60, query=query("max($stock) == 0", stock=STOCK), summary="Nothing is left.",
    fires=Scene((Series(STOCK, "0x10"),), minutes=5), quiet=Scene((Series(STOCK, "1x10"),), minutes=5),
)  # fmt: skip
SOLD_OUT = Alert(
    name="SoldOut", help="Nothing left.", plane=Plane.COMMON, components=("shop",), serves=("SHOP-06",), rules=(GONE,),
    runbook=EMPTY,
)  # fmt: skip
BOARD = Dashboard(
    name="board",
    help="The shop.",
    plane=Plane.COMMON,
    serves=("SHOP-07",),
    uid="shop-board",
    title="Shop",
    version=1,
    panels=(),
)
SIGNALS = (STOCK, OPENED, SALE, TILL, EMPTY, SOLD_OUT, BOARD)

TESTS = '''
"""Tests of the shop."""
import pytest

NAMES = {"stock": 1}
ANSWER = "shop stock --shelf"


@pytest.fixture
def alert():
    return "SoldOut"


def test_stock(alert):
    """Speaks of the stock by way of a constant, and of the alert by way of a fixture."""
    assert NAMES and alert


def test_lines():
    """One line, one span, one check, one dashboard."""
    assert read() == [OPENED, "shop.sale{}", "the till is stuck", "shop-board", {"shelf": 1}]


def test_command():
    """Runs it."""
    assert run("shop", "stock", "--shelf", "3") == shop.open_door(discount=0)


def test_docstring_only():
    """Speaks of shop.sale and stock only here."""
    assert read()


@pytest.mark.skip
def test_skipped():
    assert "stock"


@pytest.mark.xfail(strict=True)
def test_expected_to_fail():
    assert "stock"


def test_skips_itself():
    pytest.skip("stock")
    assert "stock"


def test_asserts_nothing():
    print("stock")


def helper():
    return "stock"
'''

ROWS: list[dict[str, Any]] = [
    {"kind": "metric", "metrics": ["stock{aisle}"], "tests": ["test_stock"]},
    {"kind": "log field", "log_events": ["shop.opened"], "fields": ["shelf"], "tests": ["test_lines"]},
    {"kind": "span", "spans": ["shop.sale"], "tests": ["test_lines"]},
    {"kind": "health check", "checks": ["till"], "tests": ["test_lines"]},
    {"kind": "command", "commands": ["shop stock --shelf"], "tests": ["test_command"]},
    {"kind": "alert", "metrics": ["stock{aisle}"], "alerts": ["SoldOut"], "runbooks": ["empty"], "tests": ["test_stock"]},
    {"kind": "dashboard", "dashboards": ["board"], "tests": ["test_lines"]},
    {"kind": "policy", "settings": ["discount"], "code": ["shop.open_door"], "tests": ["test_command"]},
    {"kind": "spec", "docs": ["specs/shop.md"], "tests": ["test_lines"]},
    {"kind": "metric", "open": "Nobody counts the customers."},
]


def _rows() -> list[dict[str, Any]]:
    rows = []
    for number, row in enumerate(ROWS, 1):
        cited = {"tests": [f"tests/test_shop.py::{name}" for name in row["tests"]]} if "tests" in row else {}
        rows.append({"id": f"SHOP-{number:02d}", "lines": "1", "requirement": "What is asked.", **row, **cited})
    return rows


@dataclass
class Shop:
    """The repository: change ``rows``, files or ``signals``, then judge."""

    root: Path
    rows: list[dict[str, Any]] = field(default_factory=_rows)
    signals: tuple[Any, ...] = SIGNALS
    sections: list[dict[str, Any]] = field(default_factory=lambda: [{"prefix": "SHOP", "title": "The shop", "rows": len(ROWS)}])
    table: str = f"| `SHOP` | The shop | {len(ROWS)} |\n"

    def row(self, number: int) -> dict[str, Any]:
        """One row, to be spoilt."""
        return self.rows[number - 1]

    def write(self) -> Path:
        """Write the ledger down; returns the specs directory."""
        (self.root / "specs" / FILE).write_text(json.dumps({"sections": self.sections, "rows": self.rows}, indent=2))
        (self.root / "specs" / PAGE).write_text(f"| section | about | rows |\n|---|---|---|\n{self.table}")
        return self.root / "specs"

    def judge(self) -> Judgement:
        """What the ledger says of it now."""
        module = ModuleType("shop")
        vars(module).update(STOCK=STOCK, OPENED=OPENED)
        components = [Component(name="shop", plane=Plane.COMMON)]
        catalog = Catalog("shop", components=components, signals=self.signals, fields=[SHELF])
        inventory = Inventory(
            catalog=catalog,
            constants=spellings([module]),
            fields=frozenset({"shelf"}),
            commands=(Command(words=("shop", "stock"), flags=frozenset({"--shelf", "--json"})),),
            settings={"discount": "SHOP_DISCOUNT"},
            root=self.root,
        )
        specs = self.write()
        return judge(read(specs / FILE), inventory, sections=sections_in(specs / PAGE))

    def wrong(self) -> list[tuple[str, str]]:
        """What is wrong now: about what, and the sentence."""
        return [(finding.about, finding.sentence) for finding in self.judge().findings]
