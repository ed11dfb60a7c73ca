"""The name in a ClientHello is found however the bytes come, and no bytes whatever do harm."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniplatform.edge.client_hello import LIMIT_BYTES, Hello, HelloReader
from tests.miniplatform.edge_rig import client_hello

REAL = {name: client_hello(name) for name in ("web.example", "WEB.Example", "a" * 63 + ".example", None)}
MALFORMED = Hello(result="malformed")


def vector(size: int, content: bytes) -> bytes:
    """``content`` after its length in ``size`` bytes."""
    return len(content).to_bytes(size, "big") + content


def extension(kind: int, content: bytes) -> bytes:
    """One extension."""
    return kind.to_bytes(2, "big") + vector(2, content)


def sni(*names: bytes, kind: int = 0) -> bytes:
    """A server_name extension."""
    return extension(0, vector(2, b"".join(bytes([kind]) + vector(2, name) for name in names)))


def message(
    extensions: bytes | None, *, session: bytes = b"", ciphers: bytes = b"\x13\x01", compression: bytes = b"\0"
) -> bytes:
    """A ClientHello by hand; without ``extensions`` it ends before them."""
    body = b"\x03\x03" + b"\7" * 32 + vector(1, session) + vector(2, ciphers) + vector(1, compression)
    return b"\x01" + vector(3, body if extensions is None else body + vector(2, extensions))


def records(content: bytes, cuts: Iterable[int] = ()) -> bytes:
    """``content`` in TLS records that end at ``cuts``."""
    ends = sorted({cut for cut in cuts if 0 < cut < len(content)} | {len(content)})
    return b"".join(b"\x16\x03\x01" + vector(2, content[begin:end]) for begin, end in pairwise([0, *ends]))


def judged(pieces: Iterable[bytes]) -> Hello | None:
    """The answer to bytes that come in these pieces."""
    reader = HelloReader()
    return next((hello for piece in pieces if (hello := reader.feed(piece)) is not None), None)


def cut(content: bytes, cuts: Sequence[int]) -> list[bytes]:
    """``content`` in pieces."""
    ends = sorted({c % (len(content) + 1) for c in cuts} | {0, len(content)})
    return [content[begin:end] for begin, end in pairwise(ends)]


@pytest.mark.parametrize("name", [name for name in REAL if name])
def test_openssl_names_its_server(name: str) -> None:
    """The name is found as it was sent, and is not known before the last byte."""
    assert judged([REAL[name]]) == Hello(result="ok", hostname=name)
    assert judged(cut(REAL[name][:-1], range(len(REAL[name])))) is None


def test_openssl_without_a_name() -> None:
    """A client that names nobody is told apart from one that is malformed."""
    assert judged([REAL[None]]) == Hello(result="no_sni")


@given(st.sampled_from(list(REAL)), st.lists(st.integers(0, 2_000)), st.lists(st.integers(0, 2_000)))
def test_no_cut_changes_the_answer(name: str | None, segments: list[int], fragments: list[int]) -> None:
    """Over any number of TCP segments and of TLS records."""
    again = records(REAL[name][5:], fragments)
    assert judged(cut(again, segments)) == judged([REAL[name]])


@given(
    st.sampled_from(list(REAL)),
    st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=3))),
    st.lists(st.integers(0, 2_000)),
)
def test_no_cut_changes_what_is_wrong(name: str | None, damage: list[tuple[int, bytes]], segments: list[int]) -> None:
    """A damaged ClientHello is judged the same in one piece and in many."""
    content = bytearray(REAL[name])
    for at, wrong in damage:
        content[at : at + len(wrong)] = wrong
    assert judged(cut(bytes(content), segments)) == judged([bytes(content)])


@given(st.lists(st.binary(max_size=3_000), max_size=8), st.sampled_from([b"", b"\x16\x03\x01", records(b"\x01\x00\x1f\x00")]))
def test_random_bytes_are_taken_up_to_the_limit_and_never_raise(pieces: list[bytes], begin: bytes) -> None:
    """It knows at the latest when it takes no more, and what it has taken is what was sent."""
    reader = HelloReader()
    sent = [begin, *pieces]
    answers = [reader.feed(piece) for piece in sent]
    assert bytes(reader.said) == b"".join(sent)[:LIMIT_BYTES]
    assert reader.room == LIMIT_BYTES - len(reader.said)
    if reader.room == 0:
        assert answers[-1] is not None


def test_the_limit_is_exact() -> None:
    """A ClientHello of 8 191 and 8 192 bytes is read; one of 8 193 is refused at its first header."""
    for size in (LIMIT_BYTES - 1, LIMIT_BYTES, LIMIT_BYTES + 1):
        bare = len(records(message(sni(b"web.example") + extension(21, b""))))
        whole = records(message(sni(b"web.example") + extension(21, b"\0" * (size - bare))))
        assert len(whole) == size
        expected = Hello(result="ok", hostname="web.example") if size <= LIMIT_BYTES else MALFORMED
        assert judged([whole]) == expected
        assert judged([whole[:5]]) == (None if size <= LIMIT_BYTES else MALFORMED)


@pytest.mark.parametrize(
    "said", [b"GET / HTTP/1.1\r\n\r\n", b"G", b"\x80\x2e\x01\x03\x01", b"\x16\x02", b"SSH-2.0-x", b"\x17\x03\x03"]
)
def test_what_is_not_tls_is_known_by_its_first_bytes(said: bytes) -> None:
    """No client that speaks something else is waited for."""
    assert judged([said]) == Hello(result="not_tls")


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x00\x00",  # an empty record
        b"\x16\x03\x01\x40\x01",  # a record longer than may be
        records(b"\x02" + vector(3, b"x")),  # a ServerHello
        records(b"\x01\x00\x20\x00"),  # announces more than the limit
        records(message(sni(b"a.example"))[:9]) + b"\x17\x03\x03",  # data in the midst of it
        records(message(sni(b"a.example"), session=b"s" * 33)),
        records(message(sni(b"a.example"), ciphers=b"\x13")),
        records(message(sni(b"a.example"), ciphers=b"")),
        records(message(sni(b"a.example"), compression=b"")),
        records(b"\x01" + vector(3, message(sni(b"a.example"))[4:] + b"more")),
        records(message(sni(b"a.example") + b"\0")),
        records(message(sni(b"a.example") + sni(b"b.example"))),
        records(message(sni(b"a.example", b"b.example"))),
        records(message(sni())),
        records(message(sni(b""))),
        records(message(extension(0, vector(2, b"\0" + vector(2, b"a.example")) + b"more"))),
        records(message(sni(b"a\0.example"))),
        records(message(sni(b"a.example\n"))),
        records(message(sni("ä.example".encode()))),
        records(message(sni(b"a" * 254))),
        records(b"\x01" + vector(3, b"\x03\x03")),
    ],
)  # fmt: skip
def test_what_cannot_be_is_malformed(said: bytes) -> None:
    """Nothing is guessed: no second name, no odd character, nothing before or behind."""
    assert judged([said]) == MALFORMED


@pytest.mark.parametrize("extensions", [None, b"", extension(10, b"xy"), sni(b"other", kind=7)])
def test_what_names_nobody_has_no_sni(extensions: bytes | None) -> None:
    """No extensions, others only, or a name that is no host's."""
    assert judged([records(message(extensions))]) == Hello(result="no_sni")


class OneSegment(HelloReader):
    """A mutant that expects everything in the first segment."""

    def feed(self, piece: bytes) -> Hello | None:
        """Judge what came first."""
        return super().feed(piece) or MALFORMED


class OneRecord(HelloReader):
    """A mutant that expects everything in the first record."""

    def _judge_message(self) -> Hello | None:
        return super()._judge_message() or MALFORMED


@pytest.mark.parametrize("reader", [HelloReader, OneSegment, OneRecord])
def test_mutants_that_mind_the_cut_are_caught(monkeypatch: pytest.MonkeyPatch, reader: type[HelloReader]) -> None:
    """Those who put nothing together again fail the checks on cuts above, the first on segments, the second on records."""
    monkeypatch.setattr(sys.modules[__name__], "HelloReader", reader)
    whole = REAL["web.example"]
    answers = [judged([whole]), judged(cut(whole, [40, 90])), judged([records(whole[5:], [40, 90])])]
    named = Hello(result="ok", hostname="web.example")
    assert [answer == named for answer in answers] == [True, reader is not OneSegment, reader is not OneRecord]
