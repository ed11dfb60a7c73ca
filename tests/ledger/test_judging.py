"""The ledger tells the truth: what is right is satisfied, what is missing is open, and every kind of wrong is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from obslib.catalog import Plane, gauge
from obslib.ledger import Standing
from tests.ledger.shop import SIGNALS, Shop

Spoil = Callable[[Shop], object]


def test_a_ledger_in_which_all_is_true(shop: Shop) -> None:
    """Every kind of row with its evidence is satisfied, the open one is open, nothing is wrong."""
    judgement = shop.judge()
    assert judgement.findings == ()
    assert [standing for _, standing in judgement.rows] == [Standing.SATISFIED] * 9 + [Standing.OPEN]


def at(row: int, **changes: Any) -> Spoil:
    """Change keys of a row; None takes a key away."""

    def spoil(shop: Shop) -> None:
        for key, value in changes.items():
            shop.row(row).pop(key, None) if value is None else shop.row(row).update({key: value})

    return spoil


def cite(row: int, test: str) -> Spoil:
    """Let a row cite another test."""
    return at(row, tests=[test])


def gone(path: str) -> Spoil:
    """Delete a file."""
    return lambda shop: (shop.root / path).unlink()


PLANTED: dict[str, tuple[Spoil, str, str]] = {
    "a metric that is not declared": (
        at(1, metrics=["stok"]), "SHOP-01", "metric 'stok' is not in catalog 'shop'; did you mean 'stock'?",
    ),
    "a log event that is not declared": (at(2, log_events=["x"]), "SHOP-02", "log event 'x' is not in catalog 'shop'"),
    "a field that is not declared": (
        at(2, fields=["shelv"]), "SHOP-02", "field 'shelv' is not in catalog 'shop'; did you mean 'shelf'?",
    ),
    "a span that is not declared": (
        at(3, spans=["shop.sales"]), "SHOP-03", "span 'shop.sales' is not in catalog 'shop'; did you mean 'shop.sale'?",
    ),
    "a check that is not declared": (
        at(4, checks=["tills"]), "SHOP-04", "check 'tills' is not in catalog 'shop'; did you mean 'till'?",
    ),
    "a command that does not exist": (
        at(5, commands=["shop stocks"]), "SHOP-05", "there is no command 'shop stocks'; did you mean 'shop stock'?",
    ),
    "a metric whose labels the row leaves out": (
        at(1, metrics=["stock"]), "SHOP-01",
        "names 'stock', but <Gauge stock> has other labels; write 'stock{aisle}', or correct the declaration",
    ),
    "a metric with a label that it does not have": (
        at(1, metrics=["stock{aisle,shelf}"]), "SHOP-01",
        "names 'stock{aisle,shelf}', but <Gauge stock> has other labels; write 'stock{aisle}', or correct the declaration",
    ),
    "a metric with labels that cannot be read": (
        at(1, metrics=["stock{aisle"]), "SHOP-01",
        "metric 'stock{aisle' is not understood; write 'name', or 'name{label,label}' where it has labels",
    ),
    "a flag that its command does not take": (
        at(5, commands=["shop stock --shelv"]), "SHOP-05",
        "command 'shop stock' takes no --shelv; did you mean '--shelf'?",
    ),
    "an alert that is not declared": (
        at(6, alerts=["SoldOff"]), "SHOP-06", "alert 'SoldOff' is not in catalog 'shop'; did you mean 'SoldOut'?",
    ),
    "a runbook that is not declared": (
        at(6, runbooks=["emptied"]), "SHOP-06", "runbook 'emptied' is not in catalog 'shop'; did you mean 'empty'?",
    ),
    "a runbook that nobody wrote": (
        gone("specs/runbooks/empty.md"), "SHOP-06", "runbook 'empty' is declared, but there is no specs/runbooks/empty.md",
    ),
    "a dashboard that is not declared": (
        at(7, dashboards=["bord"]), "SHOP-07", "dashboard 'bord' is not in catalog 'shop'; did you mean 'board'?",
    ),
    "a setting that does not exist": (
        at(8, settings=["discunt"]), "SHOP-08", "there is no setting 'discunt'; did you mean 'discount'?",
    ),
    "code that does not exist": (
        at(8, code=["shop.Door.open"]), "SHOP-08",
        "nothing is called 'shop.Door.open'; name it as it is imported, as in 'obslib.access.authorize'",
    ),
    "a document that does not exist": (gone("specs/shop.md"), "SHOP-09", "document 'specs/shop.md' does not exist"),
    "an empty document": (
        lambda shop: (shop.root / "specs/shop.md").write_text("\n"), "SHOP-09", "document 'specs/shop.md' is empty",
    ),
    "a document outside the repository": (
        at(9, docs=["../shop.md"]), "SHOP-09",
        "document '../shop.md' is not in the repository; name it from the root, as in 'specs/logging.md'",
    ),
    "a test that does not exist": (
        cite(1, "tests/test_shop.py::test_stocks"), "SHOP-01", "there is no test 'test_stocks' in 'tests/test_shop.py'",
    ),
    "a helper cited as a test": (
        cite(1, "tests/test_shop.py::helper"), "SHOP-01", "there is no test 'helper' in 'tests/test_shop.py'",
    ),
    "a test file that does not exist": (
        cite(1, "tests/test_shops.py"), "SHOP-01", "test file 'tests/test_shops.py' does not exist",
    ),
    "something else cited as a test": (
        cite(1, "shop.py::open_door"), "SHOP-01",
        "'shop.py' is no test file; name it from the root, as in 'tests/shims/test_edge.py'",
    ),
    "a test that is skipped": (
        cite(1, "tests/test_shop.py::test_skipped"), "SHOP-01",
        "test 'test_skipped' in 'tests/test_shop.py' never runs, because it is skipped or expected to fail",
    ),
    "a test that is expected to fail": (
        cite(1, "tests/test_shop.py::test_expected_to_fail"), "SHOP-01",
        "test 'test_expected_to_fail' in 'tests/test_shop.py' never runs, because it is skipped or expected to fail",
    ),
    "a test that skips itself": (
        cite(1, "tests/test_shop.py::test_skips_itself"), "SHOP-01",
        "test 'test_skips_itself' in 'tests/test_shop.py' never runs, because it is skipped or expected to fail",
    ),
    "a test that asserts nothing": (
        cite(1, "tests/test_shop.py::test_asserts_nothing"), "SHOP-01",
        "test 'test_asserts_nothing' in 'tests/test_shop.py' asserts nothing",
    ),
    "a test that is about something else": (
        cite(1, "tests/test_shop.py::test_lines"), "SHOP-01",
        "none of its tests speaks of 'stock' (metrics); cite one that does",
    ),
    "a test that only mentions it in its docstring": (
        cite(3, "tests/test_shop.py::test_docstring_only"), "SHOP-03",
        "none of its tests speaks of 'shop.sale' (spans); cite one that does",
    ),
    "a command that its test does not run": (
        cite(5, "tests/test_shop.py::test_lines"), "SHOP-05",
        "none of its tests speaks of 'shop stock --shelf' (commands); cite one that does",
    ),
    "a flag that its test does not use": (
        at(5, commands=["shop stock --json"]), "SHOP-05",
        "none of its tests speaks of 'shop stock --json' (commands); cite one that does",
    ),
    "a metric that serves another row": (
        at(2, metrics=["stock{aisle}"], tests=["tests/test_shop.py"]), "SHOP-02",
        "<Gauge stock> does not serve it; add the row to its serves=, or take it off the row",
    ),
    "an open row that names what does not exist": (
        at(10, metrics=["customers"]), "SHOP-10", "metric 'customers' is not in catalog 'shop'",
    ),
    "two rows with one id": (
        lambda shop: shop.rows.append(dict(shop.row(1))), "SHOP-01", "is there 2 times; keep one row",
    ),
    "a row that was deleted": (
        lambda shop: shop.rows.pop(4), "SHOP-05", "has no row; a requirement does not go away by deleting it",
    ),
    "a row of no section": (
        at(10, id="SHOP-11"), "SHOP-11", "belongs to no section; correct the id, or raise the section's number of rows",
    ),
    "a section that was deleted with its rows": (
        lambda shop: (shop.rows.clear(), shop.sections.clear()), "SHOP",
        "section has 0 rows and should have 10 by the page; they do not go away by deleting them",
    ),
    "a section that was made shorter": (
        lambda shop: (shop.rows.pop(), shop.sections[0].update(rows=9)), "SHOP",
        "section has 9 rows and should have 10 by the page; they do not go away by deleting them",
    ),
    "a section that the page does not know": (
        lambda shop: shop.sections.append({"prefix": "NEW", "title": "New", "rows": 1}), "NEW",
        "section has 1 rows and 0 by the page; write its number into the table there",
    ),
    "code with a name that no file can have": (
        at(8, code=[f"shop.{'a' * 5_000}.b"]), "SHOP-08",
        f"nothing is called 'shop.{'a' * 5_000}.b'; name it as it is imported, as in 'obslib.access.authorize'",
    ),
    "code outside the repository": (
        at(8, code=["/etc/hostname.x"]), "SHOP-08",
        "nothing is called '/etc/hostname.x'; name it as it is imported, as in 'obslib.access.authorize'",
    ),
    "code in a file that is no Python": (
        lambda shop: (shop.root / "shop.py").write_text("def open_door(:\n"), "SHOP-08",
        "shop.py is no Python (invalid syntax (<unknown>, line 1)), so nothing in it can be named",
    ),
    "a document with a name that no file can have": (
        at(9, docs=["a" * 5_000]), "SHOP-09", f"document {'a' * 5_000!r} does not exist",
    ),
    "a signal that serves a row which does not list it": (
        lambda shop: setattr(shop, "signals", (*SIGNALS, customers("SHOP-01"))), "SHOP-01",
        "<Gauge customers> serves it and is not on the row; name it under metrics, and cite a test that speaks of it",
    ),
    "a signal that serves no row": (
        lambda shop: setattr(shop, "signals", (*SIGNALS, customers("SHOP-99"))), "<Gauge customers>",
        "serves 'SHOP-99', which is no row; correct its serves=",
    ),
}  # fmt: skip


def customers(serves: str) -> Any:
    """A gauge that answers a row."""

    @gauge("customers", serves=(serves,), plane=Plane.COMMON)
    def declared() -> None:
        """People in the shop."""

    return declared


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_wrong_is_found(shop: Shop, planted: str) -> None:
    """Each way to be wrong is planted alone, and found in one sentence that says what to do."""
    spoil, about, sentence = PLANTED[planted]
    spoil(shop)
    assert (about, sentence) in shop.wrong()


LACKING = [
    (1, ["metrics"], "no metrics"),
    (2, ["log_events", "fields"], "no log_events or fields"),
    (3, ["spans"], "no spans"),
    (4, ["checks"], "no checks or code"),
    (5, ["commands"], "no commands"),
    (6, ["alerts"], "no alerts"),
    (6, ["runbooks"], "no runbooks"),
    (7, ["dashboards"], "no dashboards"),
    (8, ["settings", "code"], "nothing that keeps it"),
    (9, ["docs"], "no docs"),
    *((number, ["tests"], "no tests") for number in range(1, 10)),
]


@pytest.mark.parametrize(("number", "missing", "lacking"), LACKING)
def test_each_kind_must_show_its_evidence(shop: Shop, number: int, missing: list[str], lacking: str) -> None:
    """A row without what its kind demands is wrong, documents or not, until it says what is missing."""
    row = shop.row(number)
    for key in missing:
        del row[key]
    if missing != ["docs"]:
        row["docs"] = ["specs/shop.md"]
    said = f"is of kind {row['kind']} and names {lacking}; say what it is, or under open what is missing"
    assert (f"SHOP-{number:02d}", said) in shop.wrong()
    row["open"] = "It is not done."
    assert shop.wrong() == []


def test_a_row_with_neither_evidence_nor_a_word_is_wrong(shop: Shop) -> None:
    """Saying nothing is not the same as being open."""
    del shop.row(10)["open"]
    assert {about for about, _ in shop.wrong()} == {"SHOP-10"}


def test_a_wrong_row_is_neither_open_nor_satisfied(shop: Shop) -> None:
    """Its standing is wrong, even while it says what is missing; the others keep theirs."""
    shop.row(10)["metrics"] = ["customers"]
    judgement = shop.judge()
    assert {row.id: standing for row, standing in judgement.rows}["SHOP-10"] is Standing.WRONG
    assert judgement.count(Standing.SATISFIED) == 9


def test_what_has_no_row_is_counted_as_wrong(shop: Shop) -> None:
    """A row that is gone and a signal that serves none are not hidden behind a count of rows."""
    shop.rows.pop()
    shop.signals = (*SIGNALS, customers("SHOP-99"))
    judgement = shop.judge()
    assert [judgement.count(standing) for standing in Standing] == [2, 0, 9]


def test_a_constant_may_stand_for_its_signal(shop: Shop) -> None:
    """A test that uses the catalog's object speaks of it as much as one that spells its name; without the name it is lost."""
    del shop.row(2)["fields"]
    assert shop.wrong() == []
    text = (shop.root / "tests/test_shop.py").read_text()
    (shop.root / "tests/test_shop.py").write_text(text.replace("OPENED", "CLOSED"))
    assert shop.wrong() == [("SHOP-02", "none of its tests speaks of 'shop.opened' (log_events); cite one that does")]
