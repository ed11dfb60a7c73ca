"""Values on spans are small, immutable, redacted, and such that no exporter chokes on them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from obslib.redaction import Redactor, Secret
from obslib.tally import Tally
from obslib.traces.attributes import exported, held


class Colour(StrEnum):
    """A closed choice."""

    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"), (True, True), (3, 3), (2.5, 2.5), (None, None), (Colour.RED, "red"), ([1, 2], (1, 2)), (("a",), ("a",)),
        ([1, "a"], '[1,"a"]'), ([], "[]"), ({"a": 1}, '{"a":1}'), (2**63, "0x8000000000000000"), (-(2**63), -(2**63)),
        ("x" * 2000, "x" * 1023 + "…"), ("a\ud800b", "a?b"),
        ([2**70], "[1180591620717411303424]"), (list(range(200)), tuple(range(128))),
    ],
)  # fmt: skip
def test_every_value_gets_a_form_that_otlp_can_carry(value: Any, expected: Any) -> None:
    """Scalars and lists of one kind stay; everything else becomes text, cut and encodable."""
    found = exported(value, "k", None)
    assert found == expected
    assert type(found) is type(expected)


def test_plain_values_are_held_as_they_are_and_others_at_once_made_plain() -> None:
    """A span keeps no list that the caller may still change, and no long text."""
    values = [1, 2]
    kept = held(values, "k", None)
    values.append(3)
    assert kept == (1, 2)
    assert held("x" * 4096, "k", None) == "x" * 4096
    assert len(str(held("x" * 4097, "k", None))) == 1024


def test_the_real_redactor_works_on_spans() -> None:
    """A typed secret, a secret name and a known shape are replaced before export."""
    redactor = Redactor(Tally())
    assert exported(Secret("hunter2hunter2"), "a", redactor) == "[redacted:typed]"
    assert exported("hunter2hunter2", "password", redactor) == "[redacted:key]"
    assert "eyJ" not in str(
        exported("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJlc2lnbmF0dXJl", "a", redactor)
    )
    assert exported({"password": "hunter2hunter2"}, "a", redactor) == '{"password":"[redacted:key]"}'
