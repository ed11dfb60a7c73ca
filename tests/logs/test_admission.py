"""Fields are admitted under names that clash with nothing, with ids of the right form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from obslib import context
from obslib.catalog.platform import data_plane
from obslib.redaction import Redactor

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


@pytest.mark.parametrize("value", [1, "text", [1], {"a": 1}])
def test_a_secret_in_the_place_of_a_name_is_redacted(rig: Any, expected: Line, value: object) -> None:
    """No way to name a field shows a token: in a call, bound, ambient, twice in one line, or as a declared event's surplus."""
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    rig.log.info("call", **{token: value})
    rig.log.bind(**{token: value}).info("bound")
    with context.bound(**{token: value}):
        rig.log.info("ambient")
    rig.log.info("twice", **{token: value, f"{token}b": value})
    rig.log.event(data_plane.INSTANCE_READY, **{token: value})
    hidden = {"[redacted:prefixed_token]": value}
    assert rig.lines()[:4] == [
        *(expected("info", msg, **hidden) for msg in ("call", "bound", "ambient")),
        expected("info", "twice", **hidden, **{"[redacted:prefixed_token]'": value}),
    ]
    assert not any(token.encode() in line for line in rig.sink.lines)
    assert token not in str(rig.guard.last)


def test_a_name_that_is_not_redacted_is_a_mutant_that_leaks(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token above is hidden by the redaction of names, and by nothing else."""
    monkeypatch.setattr(Redactor, "name", lambda self, name: name)
    rig.log.info("call", ghp_16C7e42F292c6912E7710c838347Ae178B4a=1)
    assert b"ghp_16C7" in rig.sink.lines[0]


def test_a_name_that_becomes_a_secret_is_not_shown_again(rig: Any, expected: Line) -> None:
    """What was proven about a name before a secret was registered no longer counts after."""
    rig.log.info("i", tiger=1)
    rig.redactor.register("tiger")
    rig.log.info("i", tiger=1)
    assert rig.lines() == [expected("info", "i", tiger=1), expected("info", "i", **{"[redacted:typed]": 1})]


def test_shapes_and_contexts_do_not_grow_for_ever(rig: Any) -> None:
    """Ever new field names, messages and values leave the caches bounded and the lines right."""
    for number in range(5_000):
        rig.log.info(f"message {number}", **{f"field_{number}": f"value {number}"})
    assert rig.lines()[4_321]["field_4321"] == "value 4321"
    assert len(rig.pipeline._admission._shapes) <= 1_024
    assert len(rig.pipeline._messages) <= 2_048
    assert len(rig.pipeline._clean_values) <= 4_096
    assert len(rig.log._binding.last.shapes) <= 64
