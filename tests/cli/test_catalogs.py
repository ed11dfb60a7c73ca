"""Which catalog a command works on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from obslib.catalog.platform import PLATFORM
from obslib.cli.catalogs import load_catalog, require_component
from obslib.errors import UsageError

SHOP = """
from obslib.catalog import COMMON, Component, Plane

class Held:
    CATALOG = COMMON.extend("shop", components=[Component(name="shop", plane=Plane.COMMON)])

CATALOG = Held.CATALOG
NUMBER = 7
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with modules of its own, which the command runs in; nothing of it stays imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("shop_signals", "broken", "ending", "lacking"):
        sys.modules.pop(name, None)


def test_the_platforms_catalog_goes_without_saying() -> None:
    """Nothing named is the platform's catalog, and so is its full name."""
    assert load_catalog() is PLATFORM
    assert load_catalog("obslib.catalog.platform:PLATFORM") is PLATFORM


def test_another_products_catalog_is_imported_from_the_directory_it_is_run_in(project: Path) -> None:
    """A module that is not installed is found beside the command, and a name may have parts."""
    (project / "shop_signals.py").write_text(SHOP)
    assert load_catalog("shop_signals:CATALOG").name == "shop"
    assert load_catalog("shop_signals:Held.CATALOG").name == "shop"


@pytest.mark.parametrize(
    ("spelt", "sentence"),
    [
        ("shop", "catalog 'shop' is not spelt MODULE:NAME, as in obslib.catalog.platform:PLATFORM"),
        (":CATALOG", "catalog ':CATALOG' is not spelt MODULE:NAME, as in obslib.catalog.platform:PLATFORM"),
        ("shop_signals:CATALOGUE", "catalog 'shop_signals:CATALOGUE' is not there: module 'shop_signals' has no 'CATALOGUE'"),
        (
            "shop_signals:NUMBER",
            "catalog 'shop_signals:NUMBER' is not there: module 'shop_signals' has 'NUMBER', which is no Catalog but 7",
        ),
        (
            "nowhere_at_all:CATALOG",
            "catalog 'nowhere_at_all:CATALOG' cannot be imported from {here}: ModuleNotFoundError: "
            "No module named 'nowhere_at_all'; install its project, or name the folder it is in with PYTHONPATH",
        ),
        ("broken:CATALOG", "catalog 'broken:CATALOG' cannot be imported from {here}: ValueError: two lines"),
        ("ending:CATALOG", "catalog 'ending:CATALOG' cannot be imported from {here}: SystemExit: 0"),
        (
            "lacking:CATALOG",
            "catalog 'lacking:CATALOG' cannot be imported from {here}: ModuleNotFoundError: No module named 'nowhere_at_all'",
        ),
    ],
)
def test_what_is_no_catalog_is_refused_in_a_sentence(project: Path, spelt: str, sentence: str) -> None:
    """A name that leads nowhere is wrong usage, whatever happens on the way."""
    (project / "shop_signals.py").write_text(SHOP)
    (project / "broken.py").write_text("raise ValueError('two\\nlines')\n")
    (project / "ending.py").write_text("import sys\nsys.exit(0)\n")
    (project / "lacking.py").write_text("import nowhere_at_all\n")
    with pytest.raises(UsageError) as caught:
        load_catalog(spelt)
    assert str(caught.value) == sentence.format(here=project)


def test_what_a_module_prints_while_it_is_imported_is_no_part_of_the_answer(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program reads one JSON document on standard output, whatever the catalog's module says there."""
    (project / "shop_signals.py").write_text(SHOP + "print('hello')\n")
    load_catalog("shop_signals:CATALOG")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "hello\n")


def test_a_component_of_another_catalog_is_refused_with_the_flag_that_names_it() -> None:
    """At a terminal the way out is a flag, not an argument of ``start()``."""
    with pytest.raises(UsageError) as caught:
        require_component(PLATFORM, "shop")
    assert str(caught.value) == (
        "component 'shop' is not in catalog 'platform' (it has: control-plane, projector, scheduler, agent, edge); "
        "use one of these, or name your own catalog with --catalog MODULE:NAME"
    )


def test_a_module_that_fails_when_it_is_asked_for_a_name_is_told_about_in_one_sentence(project: Path) -> None:
    """Whatever a stranger's module raises is wrong usage and no traceback."""
    (project / "lacking.py").write_text("def __getattr__(name):\n    raise RuntimeError('boo')\n")
    with pytest.raises(UsageError, match=r"'lacking:CATALOG' cannot be imported from .*: RuntimeError: boo"):
        load_catalog("lacking:CATALOG")
