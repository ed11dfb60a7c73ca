"""A Secret never shows its value, whatever is done to it."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle

import orjson
import pytest

from obslib.redaction import Secret

VALUE = "correct horse battery staple"


@pytest.mark.parametrize(
    "show",
    [
        str, repr, "{}".format, "{!r}".format, "{:>60}".format, lambda s: f"{s:s}", lambda s: "%s %r" % (s, s),  # noqa: UP031
        lambda s: str([s]), lambda s: repr({"a": s}), lambda s: str(ValueError(s)), lambda s: json.dumps(s, default=str),
        lambda s: str(orjson.dumps(s, default=str)), lambda s: repr(dataclasses.make_dataclass("D", ["s"])(s)),
    ],
)  # fmt: skip
def test_no_way_of_showing_it_shows_the_value(show: object) -> None:
    """Every formatting of a Secret gives the marker and nothing of the value."""
    text = show(Secret(VALUE))  # type: ignore[operator]
    assert "[redacted:typed]" in text
    assert "horse" not in text


@pytest.mark.parametrize("dump", [pickle.dumps, json.dumps, orjson.dumps, lambda s: s.__getstate__(), lambda s: vars(s)])
def test_it_cannot_be_serialised(dump: object) -> None:
    """Pickling, JSON and state inspection raise TypeError."""
    with pytest.raises(TypeError) as refusal:
        dump(Secret(VALUE))  # type: ignore[operator]
    assert "horse" not in str(refusal.value)


def test_copies_are_the_same_object() -> None:
    """Copying a record that holds a Secret keeps it wrapped."""
    secret = Secret(VALUE)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": [secret]})["a"][0] is secret


def test_it_compares_by_value_and_type() -> None:
    """Equal values are equal, text is not bytes, and a plain string is never equal."""
    assert Secret(VALUE) == Secret(VALUE)
    assert hash(Secret(VALUE)) == hash(Secret(VALUE))
    assert Secret(VALUE) != Secret(VALUE[:-1] + "x")
    assert Secret("a") != Secret(b"a")
    assert Secret(VALUE) != VALUE
    assert not Secret("")
    assert Secret(b"\xff").reveal() == b"\xff"


def test_it_holds_text_or_bytes_and_cannot_be_changed() -> None:
    """Anything else is refused with the way out; the wrapped value is final."""
    with pytest.raises(TypeError, match=r"^Secret holds str or bytes, not int; encode it first$"):
        Secret(5)  # type: ignore[type-var]
    with pytest.raises(AttributeError, match="cannot be changed"):
        Secret("a").anything = 1  # type: ignore[attr-defined]
