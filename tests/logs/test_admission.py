"""Fields are admitted under names that clash with nothing, with ids of the right form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from obslib import context

ENV = "env_01J00000000000000000000001"
ORG = "org_01J00000000000000000000001"
Line = Callable[..., dict[str, Any]]


def test_a_name_that_is_taken_is_renamed(rig: Any, expected: Line) -> None:
    """A field called like a mandatory or constant one keeps its value under field_<name>."""
    rig.log.info("i", level="high", msg="other", trace_id="mine", node_id="elsewhere", event="e", self=1)
    rig.log.info("i", level="high", field_level="taken")
    assert rig.lines() == [
        expected(
            "info", "i", field_level="high", field_msg="other", field_trace_id="mine", field_node_id="elsewhere",
            field_event="e", self=1,
        ),
        expected("info", "i", field_field_level="high", field_level="taken"),
    ]  # fmt: skip


@pytest.mark.parametrize("bad", ["env_1", "", "rel_01J00000000000000000000001", 5, ENV.lower(), ENV + "x", ["x"], "\ud800"])
def test_an_id_of_the_wrong_form_is_invalid_and_counted(rig: Any, expected: Line, bad: object) -> None:
    """A declared id field holds its prefix and a ULID, or _invalid: in a call, bound and ambient."""
    rig.log.info("call", env_id=bad)
    rig.log.bind(env_id=bad).info("bound")
    with context.bound(env_id=bad):
        rig.log.info("ambient")
    rig.log.info("good", env_id=ENV)
    rig.log.info("none", env_id=None)
    assert rig.lines() == [
        *(expected("info", msg, env_id="_invalid") for msg in ("call", "bound", "ambient")),
        expected("info", "good", env_id=ENV), expected("info", "none", env_id=None),
    ]  # fmt: skip
    assert rig.noted() == {"invalid_id": 3}


def test_the_tenant_is_shown_only_when_it_is_ambient(rig: Any, expected: Line) -> None:
    """org_id as a keyword or bound to a logger is dropped and counted; the ambient one is shown (LOG-06)."""
    rig.log.info("call", org_id=ORG)
    rig.log.bind(org_id=ORG).info("bound")
    with context.bound(org_id=ORG):
        rig.log.info("ambient", n=1)
    assert rig.lines() == [expected("info", "call"), expected("info", "bound"), expected("info", "ambient", org_id=ORG, n=1)]
    assert rig.noted() == {"undeclared_field": 2}


def test_values_that_are_not_plain_go_through_in_shape(rig: Any, expected: Line) -> None:
    """Nested values, big numbers and NaN become what strict JSON can hold."""
    rig.log.info("i", d={"a": [1, {"token": "x"}]}, big=2**70, nan=float("nan"), b=b"ab", inf=float("inf"))
    assert rig.line() == expected(
        "info", "i", d={"a": [1, {"token": "[redacted:key]"}]}, big=str(2**70), nan=None, b="ab", inf=None
    )


def test_shapes_and_contexts_do_not_grow_for_ever(rig: Any) -> None:
    """Ever new field names, messages and values leave the caches bounded and the lines right."""
    for number in range(5_000):
        rig.log.info(f"message {number}", **{f"field_{number}": f"value {number}"})
    assert rig.lines()[4_321]["field_4321"] == "value 4321"
    assert len(rig.pipeline._admission._shapes) <= 1_024
    assert len(rig.pipeline._messages) <= 2_048
    assert len(rig.pipeline._clean_values) <= 4_096
    assert len(rig.log._binding.last.shapes) <= 64
