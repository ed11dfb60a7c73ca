"""The lock file holds every bound, in an order that a review can read, and a damaged one is said to be one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

from obslib.budget import locked, read_lock, render_lock
from obslib.catalog import Catalog, Component, Plane, histogram
from obslib.catalog.platform import PLATFORM
from obslib.errors import UsageError
from tests.budget.shop import ENV_OF_ORG, SHELF, SPOTS, a_counter, a_shop, by_env_of_org, by_kind


def by_placed(*, env_id: Annotated[str, ENV_OF_ORG], shelf: Annotated[str, SHELF]) -> None:
    """Help."""


SHOP = a_shop(
    a_counter(by_placed, SPOTS, name="b_total"),
    histogram("c_seconds", serves=("T",), buckets=(0.1, 1.0))(by_kind),
    a_counter(by_env_of_org, name="a_total"),
    components=("till", "back-office"),
)
AS_WRITTEN = """\
# How many series each family can reach at worst: written by 'obslib budget --lock', compared by --check.
catalog = "shop"

[component.back-office]
a_total = { series = 1001, by = { env_id = 1001, org_id = 1 } }
b_total = { series = 257, by = { "env_id x shelf" = 257 } }
c_seconds = { series = 20, samples = 5, by = { kind = 4 } }

[component.till]
a_total = { series = 1001, by = { env_id = 1001, org_id = 1 } }
b_total = { series = 257, by = { "env_id x shelf" = 257 } }
c_seconds = { series = 20, samples = 5, by = { kind = 4 } }
"""


def test_it_is_one_sorted_line_for_each_family() -> None:
    """What multiplies, and what it comes to; the order of the declarations changes nothing."""
    assert render_lock(SHOP) == AS_WRITTEN
    turned = a_shop(*reversed(SHOP.signals), components=("back-office", "till"))
    assert render_lock(turned) == AS_WRITTEN


@pytest.mark.parametrize("catalog", [SHOP, PLATFORM], ids=["shop", "platform"])
def test_what_is_written_is_what_is_read(tmp_path: Path, catalog: Catalog) -> None:
    """Every component, family, factor and figure."""
    path = tmp_path / "budget.lock"
    path.write_text(render_lock(catalog))
    assert read_lock(path, catalog=catalog) == locked(catalog)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "the lock file '{path}' cannot be read: No such file or directory; write it with --lock"),
        ("catalog = ", "the lock file '{path}' is not valid TOML: "),
        ("catalog = " + "[" * 5_000, "the lock file '{path}' is "),
        ("\x00", "the lock file '{path}' is not valid TOML: "),
        (AS_WRITTEN.replace('"shop"', '"shed"'), "the lock file '{path}' is not one of catalog 'shop'; name another"),
        (AS_WRITTEN.replace("series = 257", "series = 258"), "the lock file '{path}' is damaged; write it with"),
        (AS_WRITTEN.replace("kind = 4", "kind = 0"), "the lock file '{path}' is damaged; write it with"),
        (AS_WRITTEN.replace("kind = 4", "kind = nan"), "the lock file '{path}' is damaged; write it with"),
        (AS_WRITTEN.replace("by = { kind = 4 }", "by = 7"), "the lock file '{path}' is damaged; write it with"),
        ('catalog = "shop"\ncomponent = 7\n', "the lock file '{path}' is damaged; write it with"),
    ],
)
def test_a_file_that_is_no_lock_file_is_refused(tmp_path: Path, text: str | None, sentence: str) -> None:
    """Nothing is compared with what cannot be relied on; the sentence says what to do."""
    path = tmp_path / "budget.lock"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_lock(path, catalog=SHOP)
    assert str(caught.value).startswith(sentence.format(path=path))
    assert "\n" not in str(caught.value)


def test_a_directory_and_other_bytes_are_no_lock_file(tmp_path: Path) -> None:
    """One sentence each, and no traceback."""
    with pytest.raises(UsageError, match="cannot be read: it is no regular file; write it with --lock"):
        read_lock(tmp_path, catalog=SHOP)
    (tmp_path / "latin").write_bytes(b"catalog = '\xe9'\n")
    with pytest.raises(UsageError, match="is not valid TOML"):
        read_lock(tmp_path / "latin", catalog=SHOP)


def test_a_component_may_be_called_like_a_key_of_the_file(tmp_path: Path) -> None:
    """Components have a table of their own, and the catalog's name is any text."""
    components = [Component(name=name, plane=Plane.COMMON) for name in ("catalog", "component")]
    catalog = Catalog('é "shop"', components=components, signals=SHOP.signals)
    path = tmp_path / "budget.lock"
    path.write_text(render_lock(catalog), encoding="utf-8")
    assert read_lock(path, catalog=catalog) == locked(catalog)
