"""Any object becomes plain JSON values within bounds, and nothing it does raises."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import uuid
from collections import OrderedDict, deque, namedtuple
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from obslib.redaction import Redactor, Secret, walk
from obslib.tally import Tally

_Point = namedtuple("Point", "x password")


@dataclasses.dataclass
class _Account:
    name: str
    password: str


class _Model(BaseModel):
    name: str
    api_key: str


class _Colour(enum.Enum):
    RED = "red"


class _BadRepr:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class _LyingRepr:
    def __repr__(self) -> str:
        return 5  # type: ignore[return-value]


class _BadClass:
    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise RuntimeError("no")


class _BadMapping(Mapping[str, object]):
    def __getitem__(self, key: str) -> object:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no")

    def __len__(self) -> int:
        return 3


class _BadText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no")

    def encode(self, *_: object) -> bytes:  # type: ignore[override]
        raise RuntimeError("no")


class _BadInt(int):
    def __index__(self) -> int:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        raise RuntimeError("no")


CYCLE: list[object] = [1]
CYCLE.append(CYCLE)
DEEP: dict[str, object] = {}
for _ in range(5_000):
    DEEP = {"d": DEEP}
HOSTILE = (
    _BadRepr(), _LyingRepr(), _BadClass(), _BadMapping(), _BadText("text"), _BadInt(5), CYCLE, DEEP, "\ud800 lone", b"\xff\xfe",
    float("nan"), float("inf"), -(10**5_000), 2**64, {1: "a", "1": "b", None: "c", b"k": "d", ("t",): "e"}, {_BadRepr(): 1},
    range(10**12), "x" * 1_000_000, list(range(100_000)), object, lambda: None, Exception("x"), (i for i in range(3)),
    {"\ud800": "\udfff"}, bytearray(b"ab"), memoryview(b"ab"), "\x00\x1b[31m\u2028",
)  # fmt: skip


def _strict(value: object) -> object:
    """Parse what orjson renders with a parser that refuses duplicate keys."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    return json.loads(orjson.dumps(value), object_pairs_hook=unique)


@pytest.mark.parametrize("which", range(len(HOSTILE)))
def test_hostile_objects_become_bounded_json(redactor: Redactor, which: int) -> None:
    """What a hostile object becomes is strict JSON and small, alone and nested."""
    value = HOSTILE[which]
    for given_value in (value, {"a": value}, [value, (value,)]):
        assert len(orjson.dumps(redactor.value(given_value))) < 400_000
        _strict(redactor.value(given_value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (_Account("ada", "hunter2"), {"name": "ada", "password": "[redacted:key]"}),
        (_Model(name="ada", api_key="x"), {"name": "ada", "api_key": "[redacted:key]"}),
        (_Point(1, "hunter2"), {"x": 1, "password": "[redacted:key]"}),
        (MappingProxyType({"a": {"b": [{"apiKey": "x"}]}}), {"a": {"b": [{"apiKey": "[redacted:key]"}]}}),
        (OrderedDict(Cookie={"sid": "1"}), {"Cookie": "[redacted:key]"}),
        ({"password": None, "token": False, "secret": ""}, {"password": None, "token": False, "secret": ""}),
        ({"tokens": 150, "password": 1234, "pin": 99}, {"tokens": 150, "password": "[redacted:key]", "pin": "[redacted:key]"}),
        ({"tokens": ["a"], "monkey": "b"}, {"tokens": "[redacted:key]", "monkey": "b"}),
        ([Secret("x"), (Secret(b"y"),)], ["[redacted:typed]", ["[redacted:typed]"]]),
        ({"password": Secret("x")}, {"password": "[redacted:typed]"}),
        ([("Authorization", "Kx9mmPq9vv"), ("cookie", "sess8xQ")],
         [["Authorization", "[redacted:key]"], ["cookie", "[redacted:key]"]]),
        ([(b"cookie", b"sess8xQ"), [b"n", b"1"]], [["cookie", "[redacted:key]"], ["n", "1"]]),
        (["password", {"a": 1}], ["password", "[redacted:key]"]), (("token", None), ["token", None]),
        (["run", "--password", "x", "--token", "--verbose"], ["run", "--password", "[redacted:key]", "--token", "--verbose"]),
        ([("token_count", 5), ("tokens", 5), ("monkey", "b")], [["token_count", 5], ["tokens", 5], ["monkey", "b"]]),
        (["a", "password", "b"], ["a", "password", "b"]),
        ({"a=b": "password=x"}, {"a=b": "password=[redacted:assignment]"}),
        (_Colour.RED, "red"), (deque([1]), [1]), (frozenset({1}), [1]), (b"text", "text"), (b"\xff\xff", "<2 bytes>"),
        (datetime.date(2026, 1, 2), "2026-01-02"), (2**70, "1180591620717411303424"), (2**64 - 1, 2**64 - 1),
        (float("nan"), None), ({1: "a", "1": "b"}, {"1": "a", "1'": "b"}), (_BadRepr(), "<unreadable _BadRepr: RuntimeError>"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"), (decimal.Decimal("1.5"), "1.5"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"), ("\ud800", "\\ud800"),
        (ValueError("password=x"), "password=[redacted:assignment]"),
    ],
)  # fmt: skip
def test_values_keep_their_meaning(redactor: Redactor, value: object, expected: object) -> None:
    """Known types are read part by part, under the names their parts have."""
    assert redactor.value(value) == expected


def test_a_secret_name_hides_the_value_given_with_it(redactor: Redactor, counted: Callable[[], dict[str, int]]) -> None:
    """The key passed beside a value is judged like one in a mapping, and the hit is counted."""
    assert redactor.value("x", "API-KEY") == "[redacted:key]"
    assert redactor.value({"a": 1}, "credentials") == "[redacted:key]"
    assert redactor.value("[redacted:jwt]", "token") == "[redacted:jwt]"
    assert redactor.value("[redacted:jwt] and more", "token") == "[redacted:key]"
    assert counted() == {"key": 3}


def test_a_secret_as_a_key_is_redacted(redactor: Redactor) -> None:
    """A token that serves as a key of a mapping is replaced too."""
    assert redactor.value({"ghp_" + "a1B2" * 9: 1}) == {"[redacted:prefixed_token]": 1}


def test_a_pair_whose_name_is_not_read_is_a_mutant_that_leaks(redactor: Redactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header among headers is hidden by the name before it, and by nothing else."""
    assert "sess8xQ" not in str(redactor.value([("cookie", "sess8xQ")]))
    monkeypatch.setattr(walk, "_name_before", lambda items, place: "")
    assert "sess8xQ" in str(redactor.value([("cookie", "sess8xQ")]))


class _Endless(Mapping[str, object]):
    """Never runs out of keys, each of which leads back to itself; counts how many were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __getitem__(self, key: str) -> object:
        return self

    def __iter__(self) -> Iterator[str]:
        while True:
            self.asked += 1
            yield f"key{self.asked}"

    def __len__(self) -> int:
        return 1


def test_an_endless_mapping_is_read_no_further_than_it_is_shown(redactor: Redactor) -> None:
    """What is not shown is not read: a lazy mapping gives up as many keys as there are nodes, at any depth."""
    endless = _Endless()
    shown = orjson.dumps(redactor.value([endless] * 3))
    assert endless.asked <= 2_010
    assert len(shown) < 100_000


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.integers(0, 7).map(HOSTILE.__getitem__),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(value=json_like)
def test_whatever_it_is_the_result_is_strict_json(value: object) -> None:
    """Any nesting of any values gives strict JSON without duplicate keys."""
    _strict(Redactor(Tally()).value(value))
