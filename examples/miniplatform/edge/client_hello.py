"""The name a TLS client asks for, read from its ClientHello as the bytes come in (RFC 8446 §4.1.2 and §5.1, RFC 6066 §3).

Nothing is decrypted and nothing is answered. What is said is judged from left to right and at the first byte that
settles it, so that the answer does not depend on how the bytes were cut on their way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["LIMIT_BYTES", "Hello", "HelloReader"]

LIMIT_BYTES = 8_192
"""A ClientHello has to fit into this much of a connection, record headers included (platform facts §14)."""

_RECORD_HEADER, _HANDSHAKE_HEADER = 5, 4
_HANDSHAKE, _MAJOR_VERSION, _CLIENT_HELLO = 22, 3, 1
_LARGEST_RECORD = 2**14
_VERSION_AND_RANDOM = 2 + 32
_SERVER_NAME, _HOST_NAME = 0, 0
_NAME = re.compile(rb"[A-Za-z0-9._-]{1,253}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What a client's first bytes come to; ``hostname`` is as it was sent, empty unless the result is ``ok``."""

    result: Literal["ok", "no_sni", "not_tls", "malformed"]
    hostname: str = ""


_NO_SNI, _NOT_TLS, _MALFORMED = (Hello(result=result) for result in ("no_sni", "not_tls", "malformed"))


class HelloReader:
    """Takes bytes until it knows; each byte is looked at a fixed number of times, however they are cut."""

    def __init__(self) -> None:
        self.said = bytearray()
        """Everything taken, to be passed on unchanged."""
        self._record = 0  # where in ``said`` the next record begins
        self._message = bytearray()

    @property
    def room(self) -> int:
        """How many bytes it takes before it must know."""
        return LIMIT_BYTES - len(self.said)

    def feed(self, piece: bytes) -> Hello | None:
        """Take the next bytes, ``room`` of them at most, and say what they come to; None while that is open."""
        self.said += piece[: self.room]
        answer = self._judge_record()
        while answer is None and self._has_whole_record():
            end = self._record_end()
            self._message += self.said[self._record + _RECORD_HEADER : end]
            self._record = end
            answer = self._judge_message() or self._judge_record()
        return answer

    def _judge_record(self) -> Hello | None:
        """What the header of the next record settles, as far as it is there."""
        header = self.said[self._record : self._record + _RECORD_HEADER]
        if header[:1] not in (b"", bytes([_HANDSHAKE])) or header[1:2] not in (b"", bytes([_MAJOR_VERSION])):
            return _MALFORMED if self._record else _NOT_TLS
        if len(header) < _RECORD_HEADER:
            return None if self.room else _MALFORMED
        is_possible = 0 < self._record_length() <= _LARGEST_RECORD and self._record_end() <= LIMIT_BYTES
        return None if is_possible else _MALFORMED

    def _has_whole_record(self) -> bool:
        return len(self.said) >= self._record + _RECORD_HEADER and len(self.said) >= self._record_end()

    def _record_length(self) -> int:
        return int.from_bytes(self.said[self._record + 3 : self._record + _RECORD_HEADER])

    def _record_end(self) -> int:
        return self._record + _RECORD_HEADER + self._record_length()

    def _judge_message(self) -> Hello | None:
        """What the handshake message settles, as far as it is there."""
        if self._message[0] != _CLIENT_HELLO:
            return _MALFORMED
        if len(self._message) < _HANDSHAKE_HEADER:
            return None
        end = _HANDSHAKE_HEADER + int.from_bytes(self._message[1:_HANDSHAKE_HEADER])
        if end > LIMIT_BYTES:
            return _MALFORMED
        if len(self._message) < end:
            return None
        try:
            return _named(bytes(self._message[_HANDSHAKE_HEADER:end]))
        except ValueError:
            return _MALFORMED


class _Fields:
    """The fields of a message one after the other; each raises ValueError when the message ends before it."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at == len(self._content)

    def take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._content):
            raise ValueError("it ends within a field")
        taken, self._at = self._content[self._at : end], end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int, *, at_least: int = 0) -> bytes:
        """A field that is preceded by its length in ``size`` bytes."""
        taken = self.take(self.number(size))
        if len(taken) < at_least:
            raise ValueError("a field is shorter than it may be")
        return taken


def _named(body: bytes) -> Hello:
    """The name in a whole ClientHello; raises ValueError when it is not one."""
    hello = _Fields(body)
    hello.take(_VERSION_AND_RANDOM)
    if len(hello.vector(1)) > 32 or len(hello.vector(2, at_least=2)) % 2:
        raise ValueError("session id or cipher suites have an impossible length")
    hello.vector(1, at_least=1)  # compression methods
    if hello.is_done:
        return _NO_SNI
    extensions = _Fields(hello.vector(2))
    if not hello.is_done:
        raise ValueError("something follows the extensions")
    name: bytes | None = None
    while not extensions.is_done:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == _SERVER_NAME:
            if name is not None:
                raise ValueError("the extension is there twice")
            name = _host_name(content)
    return Hello(result="ok", hostname=name.decode()) if name else _NO_SNI


def _host_name(extension: bytes) -> bytes:
    """The one host name in a server_name extension, empty when it holds names of other types only; raises ValueError."""
    outer = _Fields(extension)
    names = _Fields(outer.vector(2, at_least=1))
    if not outer.is_done:
        raise ValueError("something follows the names")
    found = b""
    while not names.is_done:
        kind, name = names.number(1), names.vector(2, at_least=1)
        if kind == _HOST_NAME:
            if found or not _NAME.fullmatch(name):
                raise ValueError("it is no host name, or the second one")
            found = name
    return found
