"""The redactor as a whole: nothing planted comes out, everything is counted, and time is linear."""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obslib.redaction import Redactor, Secret, suspicion, walk
from obslib.redaction import redactor as room
from obslib.tally import Tally

PLANTED = "s3cr3t-Val-9f8e7d6c5b4a"
RECORD = {
    "msg": f"login with password={PLANTED} failed",
    "headers": {"Authorization": f"Bearer {PLANTED}", "X-Api-Key": [PLANTED]},
    "typed": Secret(PLANTED),
    "url": f"postgres://svc:{PLANTED}@db/x",
    "known": f"echo {PLANTED}",
    "nested": [{"a": ({"clientSecret": PLANTED},)}],
}


def _leaks(redactor: Redactor) -> bool:
    redactor.register(PLANTED)
    return PLANTED.encode() in orjson.dumps(redactor.value(RECORD), default=lambda value: value.reveal())


def test_nothing_planted_comes_out(redactor: Redactor) -> None:
    """A secret planted by type, name, shape and registration appears nowhere in the result."""
    assert not _leaks(redactor)


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (room.Redactor, "text", lambda self, text: text),
        (room.Redactor, "is_clean", lambda self, text: True),
        (suspicion, "is_clean", lambda text: True),
        (walk, "is_secret_name", lambda name: False),
        (walk.Walk, "value", lambda self, value, key="", depth=0: value),
    ],
)
def test_a_disabled_rule_is_a_mutant_that_leaks(
    redactor: Redactor, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, broken: object
) -> None:
    """The check above fails when any of its safe parts is taken away."""
    monkeypatch.setattr(owner, name, broken)
    redactor.value(RECORD)
    record = orjson.dumps(redactor.value({key: RECORD[key] for key in ("msg", "headers", "nested")}))
    assert PLANTED.encode() in record


def test_each_kind_is_counted(redactor: Redactor, counted: Callable[[], dict[str, int]]) -> None:
    """Each replacement counts once under its rule."""
    for text in (
        "password=hunter2", "Authorization: Bearer abc", "postgres://u:p@h", "-----BEGIN X-----", "ghp_" + "a1B2" * 9,
        "eyJhbGciOiJI.eyJzdWIiOiIx.abc", "enroll_" + "x" * 43, "k3J9x2Lq8ZpW7vT5rY1m",
    ):  # fmt: skip
        redactor.text(text)
    redactor.value({"password": "x", "b": Secret("y")})
    assert counted() == dict.fromkeys(
        ("typed", "key", "bearer", "pem", "url_password", "prefixed_token", "jwt", "enrollment", "assignment", "high_entropy"),
        1,
    )


def test_a_name_is_redacted_and_remembered_only_until_the_next_secret(redactor: Redactor) -> None:
    """A name that holds a secret is replaced, long ones are cut after that, and no proof outlives a registration."""
    assert redactor.name("ghp_" + "a1B2" * 9) == "[redacted:prefixed_token]"
    assert redactor.name("x" * 500) == "x" * 127 + "…"
    assert "a1B2" not in redactor.name("x." * 60 + "ghp_" + "a1B2" * 9)
    assert redactor.name("tiger") == "tiger"
    redactor.register("tiger")
    assert redactor.name("tiger") == "[redacted:typed]"
    for number in range(5_000):
        redactor.name(f"name_{number}")
    assert len(redactor._clean_names) <= 4_096


@pytest.mark.parametrize("place", [0xD800, 0xD805, 0xDFFF])
def test_a_lone_surrogate_is_no_marker(redactor: Redactor, place: int) -> None:
    """Text that must be looked at is valid UTF-8 afterwards, and cannot forge a marker."""
    assert redactor.text(f"{chr(place)}: x") == f"\\u{place:04x}: x"


ATOMS = (
    "password=", "password: ", "a=b,", "://a:b@", "eyJ", "-eyJ", "eyJaaaaaaaaa.", "ghp_", "sk-", "-----BEGIN ", "bearer ",
    "basic ", "authorization: ", "--token ", "-u a:", "password is ", "\\", "'", "aB3", "_", "-", "x:", "enroll_", "1:AA",
    "password=[", "password='\\", "token=a,aaaa", "key=>", "<password>", "/", "é=", "A", "password=${", "x" * 15 + " ",
    "['a',", "['cookie','", "['a',\"", '["token", "\\', "('pin', ", "bearer bearer ", "mysql ", "mysql -p'", 'mysql "',
    "mysql-", "%3D", "password%253D", "password:\\n", "pass\u200bword=", "\u200b",
)  # fmt: skip


@pytest.mark.parametrize("atom", ATOMS)
def test_a_hostile_text_costs_no_more_per_character(redactor: Redactor, atom: str) -> None:
    """Doubling a text made of any rule's own beginnings does not multiply the time."""

    def seconds(length: int) -> float:
        text = (atom * length)[:length]
        best = 1.0
        for _ in range(2):
            begun = time.process_time()
            redactor.text(text)
            best = min(best, time.process_time() - begun)
        return best

    assert seconds(32_000) < 4 * seconds(16_000) + 0.02


def test_an_endless_text_is_cut_before_it_is_read(redactor: Redactor) -> None:
    """A text past 32 Ki characters loses its end, and a secret that straddles the cut is not shown in part."""
    text = redactor.text("a " * 16_000 + "password=" + PLANTED * 100)
    assert len(text) < 32_768
    assert PLANTED[:8] not in text


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("aZ0_-=:/@ '\"\\{[\n.+,;>é\ud800") | st.characters(), max_size=80))
def test_any_text_stays_text_and_a_second_pass_changes_nothing(text: str) -> None:
    """Whatever comes in, UTF-8 comes out, and redacting twice is redacting once."""
    redactor = Redactor(Tally())
    once = redactor.text(text)
    once.encode()
    assert redactor.text(once) == once


@settings(max_examples=100, deadline=None)
@given(
    before=st.text(alphabet="abc xyz.(\n", max_size=12),
    name=st.sampled_from(["password", "apiKey", "CLIENT_SECRET", "x-auth-token"]),
    separator=st.sampled_from(["=", ": ", '": "', "':'", " = ", "=>"]),
    secret=st.text(alphabet="abcXYZ0123456789", min_size=14, max_size=30).filter(lambda s: any(c.isdigit() for c in s)),
    after=st.sampled_from(["", " ok", '"}', "',", "; x", "\nnext"]),
)
def test_an_assigned_secret_never_survives(before: str, name: str, separator: str, secret: str, after: str) -> None:
    """A value assigned to a secret name is gone from any sentence."""
    assert secret not in Redactor(Tally()).text(f"{before} {name}{separator}{secret}{after}")


@pytest.mark.parametrize("place", [0, 1, 7, 12, 19, 500, 1_023, 1_024, 1_025])
def test_no_secret_survives_at_the_cut(redactor: Redactor, place: int) -> None:
    """Wherever around the cut a secret stands, and whether it is known by its shape or by value, no part of it is left."""
    known = "correct-horse-" + "battery" * 400
    redactor.register(known)
    for secret in ("AKIAIOSFODNN7EXAMPLE", known):
        for cut in (31_744, 32_768):
            text = ("word " * 7_000)[: cut - place - 1] + " " + secret + " and more" * 2_000
            found = redactor.text(text)
            assert len(found) <= 32_768
            assert secret[:12] not in found, (cut, place)
