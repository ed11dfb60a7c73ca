"""Getting the text of a scrape, a rule file or a dashboard, from a file, standard input or a URL, within bounds.

What cannot be had (missing, refused, too large, too slow) is wrong usage and raises UsageError; what was had and is no text
raises Malformed, which becomes a finding. A check that silently read nothing would pass.
"""

from __future__ import annotations

import gzip
import http.client
import os
import socket
import ssl
import sys
import threading
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from pathlib import Path
from time import monotonic
from typing import BinaryIO
from urllib.parse import SplitResult, urlsplit

from obslib.errors import UsageError
from obslib.lint.artifacts.document import Document, Malformed
from obslib.lint.finding import Place
from obslib.lint.reports import glyphs

__all__ = ["DEADLINE_S", "LARGEST", "files", "is_url", "read_file", "read_url", "shown_as"]

LARGEST = 32 * 2**20
"""The largest text, in bytes, packed or unpacked; Prometheus takes 5 MB of us (``specs/generated/prometheus.yml``)."""

DEADLINE_S = 10.0
"""How long a scrape may take from the first byte sent to the last one read, in seconds: what Prometheus allows."""

_ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
_GZIP = b"\x1f\x8b"
_CHUNK = 65_536
_LONGEST_REASON = 200


def is_url(spelt: str) -> bool:
    """Whether it names a scheme; which ones can be read is ``read_url``'s business."""
    return "://" in spelt


def shown_as(spelt: str) -> str:
    """The name of a document in findings and sentences: a URL without its credentials and without its query."""
    if not is_url(spelt):
        return spelt
    parts = _parts(spelt)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="…" if parts.query else "", fragment="").geturl()


def files(spelt: str, suffixes: Collection[str]) -> Iterator[Path]:
    """The file, or every file below the directory whose name ends in one of ``suffixes``, sorted; links are not followed.

    Raises UsageError when there is none.
    """
    given = Path(spelt)
    if not given.is_dir():
        yield given
        return
    found = sorted(
        Path(folder, name)
        for folder, _, names in os.walk(given)
        for name in names
        if name.endswith(tuple(suffixes)) and Path(folder, name).is_file()
    )
    if not found:
        raise UsageError(f"there is no file ending in {' or '.join(suffixes)} below {spelt!r}; name one")
    yield from found


def read_file(path: str | Path) -> Document:
    """The text of a file, ``-`` being standard input; packed with gzip or not."""
    name = str(path)
    try:
        if name == "-":
            return _document(name, _bounded(name, sys.stdin.buffer))
        with open(path, "rb") as file:
            return _document(name, _bounded(name, file))
    except (OSError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{name!r} cannot be read ({_reason(error)}); name a file that can") from None


def read_url(url: str, *, deadline_s: float = DEADLINE_S) -> Document:
    """What answers at an ``http`` or ``https`` URL, as Prometheus would ask for it; no redirect is followed."""
    parts, shown = _parts(url), shown_as(url)
    until = monotonic() + deadline_s
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=deadline_s)
    try:
        connection.connect()
        with _hanging_up(connection.sock, until):
            body, headers = _answer(connection, parts, shown)
        failure = ""
    except (OSError, http.client.HTTPException) as error:
        failure = f"cannot be read ({_reason(error)})"
    finally:
        connection.close()
    if monotonic() >= until:
        failure = f"did not answer in full within {deadline_s:g} s"
    if failure:
        raise UsageError(f"{shown} {failure}")
    return _document(
        shown, body, is_packed="gzip" in headers.get("Content-Encoding", ""), content_type=headers.get("Content-Type", "")
    )


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError as error:
        raise UsageError(f"that is no URL ({error}); write http://HOST:PORT/metrics") from None
    if parts.scheme not in ("http", "https"):
        raise UsageError(f"a scrape is read over http or https, not {parts.scheme!r}; write http://HOST:PORT/metrics")
    if not parts.hostname or not has_port:
        raise UsageError("the URL names no host; write http://HOST:PORT/metrics")
    return parts


def _answer(connection: http.client.HTTPConnection, parts: SplitResult, shown: str) -> tuple[bytes, Message]:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", target, headers={"Accept": _ACCEPT, "Accept-Encoding": "gzip", "Connection": "close"})
    answer = connection.getresponse()
    if answer.status != http.HTTPStatus.OK:
        leads = " and leads elsewhere, name that" if answer.headers.get("Location") else ""
        raise UsageError(f"{shown} answers {answer.status}{leads}")
    body = bytearray()
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > LARGEST:
            raise _too_large(shown)
    if answer.length:
        raise http.client.IncompleteRead(bytes(body[:0]), answer.length)
    return bytes(body), answer.headers


@contextmanager
def _hanging_up(connected: socket.socket, until: float) -> Iterator[None]:
    """End every wait on ``connected`` at that moment: a time-out on each read would let a slow writer go on for ever."""

    def hang_up() -> None:
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    late = threading.Timer(max(until - monotonic(), 0.0), hang_up)
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()


def _bounded(name: str, file: BinaryIO) -> bytes:
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise _too_large(name)
    return content


def _document(name: str, content: bytes, *, is_packed: bool = False, content_type: str = "") -> Document:
    if is_packed or content.startswith(_GZIP):
        content = _unpacked(name, content)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Malformed(f"this is not text: byte 0x{content[error.start]:02x} is not UTF-8", Place.at(line)) from None
    if "\0" in text:
        raise Malformed("this is not text: it holds a zero byte", Place.at(text.count("\n", 0, text.index("\0")) + 1))
    return Document(name, text, content_type)


def _unpacked(name: str, content: bytes) -> bytes:
    from io import BytesIO

    try:
        with gzip.GzipFile(fileobj=BytesIO(content)) as file:
            unpacked = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Malformed(f"this is not what gzip packs: {_reason(error)}", Place.at()) from None
    if len(unpacked) > LARGEST:
        raise _too_large(name)
    return unpacked


def _too_large(name: str) -> UsageError:
    return UsageError(f"{name} holds more than {LARGEST // 2**20} MB, which no Prometheus of ours would take")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").replace("_", " ").lower()
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return glyphs.shown(" ".join(said.split())[:_LONGEST_REASON]) or type(error).__name__
