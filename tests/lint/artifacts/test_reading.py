"""What is to be checked is read within bounds, and whatever cannot be read is one sentence."""

from __future__ import annotations

import gzip
import io
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from obslib.errors import UsageError
from obslib.lint.artifacts import reading
from obslib.lint.artifacts.document import Malformed
from obslib.lint.artifacts.reading import files, read_file, read_url, shown_as
from tests.lint.artifacts.fake_exporter import answering, response

TEXT = b"up 1\n"


def test_a_file_is_read_packed_or_not(tmp_path: Path) -> None:
    """A recorded scrape may be kept as gzip made it; a byte order mark is no part of the text."""
    (tmp_path / "plain").write_bytes(b"\xef\xbb\xbf" + TEXT)
    (tmp_path / "packed").write_bytes(gzip.compress(TEXT))
    assert read_file(tmp_path / "plain").text == read_file(tmp_path / "packed").text == "up 1\n"


def test_standard_input_is_a_file_called_minus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe can be checked."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(TEXT)))
    assert read_file("-").text == "up 1\n"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "{path!r} cannot be read (No such file or directory); name a file that can"),
        (lambda path: path.mkdir(), "{path!r} cannot be read (Is a directory); name a file that can"),
        (
            lambda path: path.symlink_to(path),
            "{path!r} cannot be read (Too many levels of symbolic links); name a file that can",
        ),
        (lambda path: path.write_bytes(b"x" * 101), "{path} holds more than 0 MB, which no Prometheus of ours would take"),
        (
            lambda path: path.write_bytes(gzip.compress(b"x" * 5_000)),
            "{path} holds more than 0 MB, which no Prometheus of ours would take",
        ),
    ],
    ids=["missing", "a folder", "a circle of links", "large", "large once unpacked"],
)
def test_a_file_that_cannot_be_read_is_refused(
    make: Callable[[Path], object], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, a folder, a circle of links, larger than anything that is taken."""
    monkeypatch.setattr(reading, "LARGEST", 100)
    path = tmp_path / "given"
    make(path)
    with pytest.raises(UsageError) as caught:
        read_file(path)
    assert str(caught.value) == sentence.format(path=str(path))


@pytest.mark.parametrize(
    ("content", "line", "sentence"),
    [
        (b"up 1\n\xff\xfe", 2, "this is not text: byte 0xff is not UTF-8"),
        (b"up 1\nup\0 2\n", 2, "this is not text: it holds a zero byte"),
        (
            gzip.compress(TEXT)[:-6],
            1,
            "this is not what gzip packs: Compressed file ended before the end-of-stream marker was reached",
        ),
        (b"\x1f\x8bnothing it knows", 1, "this is not what gzip packs: Unknown compression method"),
    ],
    ids=["bytes", "a zero byte", "cut off", "not gzip"],
)
def test_what_is_no_text_is_malformed(content: bytes, line: int, sentence: str, tmp_path: Path) -> None:
    """Bytes of something else are a finding about the file, not an end of the run."""
    (tmp_path / "given").write_bytes(content)
    with pytest.raises(Malformed) as caught:
        read_file(tmp_path / "given")
    assert (caught.value.place.line, str(caught.value)) == (line, sentence)


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    """Below it too, sorted, and nothing else; a circle of links has an end; a folder without one is refused."""
    (tmp_path / "b").mkdir()
    for name in ("b/two.yml", "one.yaml", "other.json"):
        (tmp_path / name).write_text("")
    os.symlink(tmp_path, tmp_path / "b" / "again")
    assert [path.name for path in files(str(tmp_path), (".yml", ".yaml"))] == ["two.yml", "one.yaml"]
    with pytest.raises(UsageError, match=r"there is no file ending in \.rules below"):
        list(files(str(tmp_path), (".rules",)))


def test_a_scrape_is_read_as_prometheus_asks_for_it() -> None:
    """Packed bodies are unpacked, and the type that the server names is kept."""
    body = gzip.compress(b"up 1\n# EOF\n")
    answer = response(body, "200 OK", "Content-Encoding: gzip", "Content-Type: application/openmetrics-text; version=1.0.0")
    with answering(answer) as url:
        read = read_url(url)
    assert (read.name, read.text) == (url, "up 1\n# EOF\n")
    assert read.content_type.startswith("application/openmetrics-text")


def silent(connection: socket.socket) -> None:
    """Write nothing, and stay."""
    while not has_left(connection):
        pass


def drip(connection: socket.socket) -> None:
    """Write a body that never ends, slowly enough for every single read to be in time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not has_left(connection):
        connection.sendall(b"x")


def drip_head(connection: socket.socket) -> None:
    """The same with headers."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not has_left(connection):
        connection.sendall(b"X: y\r\nX-")


def has_left(connection: socket.socket) -> bool:
    """Wait a moment; whether the other side has hung up."""
    connection.settimeout(0.05)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (response(b"no", "500 Internal Server Error"), "{url} answers 500"),
        (response(b"", "302 Found", "Location: file:///etc/passwd"), "{url} answers 302 and leads elsewhere, name that"),
        (response(b"x" * 2_000), "{url} holds more than 0 MB, which no Prometheus of ours would take"),
        (response(gzip.compress(b"x" * 9_000)), "{url} holds more than 0 MB, which no Prometheus of ours would take"),
        (
            lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nup 1"),
            "{url} cannot be read (IncompleteRead(0 bytes read, 5 more expected))",
        ),
        (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"), "{url} cannot be read (SSH-2.0-OpenSSH)"),
        (
            lambda connection: connection.sendall(b"\x1b[2J\x00gone" + b"x" * 900 + b"\r\n"),
            "{url} cannot be read (\\x1b[2J\\x00gone" + "x" * 191 + ")",
        ),
        (lambda connection: None, "{url} cannot be read (Remote end closed connection without response)"),
        (silent, "{url} did not answer in full within 0.3 s"),
        (drip, "{url} did not answer in full within 0.3 s"),
        (drip_head, "{url} did not answer in full within 0.3 s"),
    ],
    ids=[
        "500", "redirect", "endless", "bomb", "cut off", "another protocol", "steers a terminal", "hangs up", "silent", "drips",
        "drips headers",
    ],
)  # fmt: skip
def test_a_scrape_that_fails_is_one_sentence(
    answer: Callable[[socket.socket], None], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, a redirect, too much, too little, nothing, too slowly: never a traceback, never without end."""
    monkeypatch.setattr(reading, "LARGEST", 1_000)
    with answering(answer) as url, pytest.raises(UsageError) as caught:
        read_url(url, deadline_s=0.3 if "within" in sentence else 10)
    assert str(caught.value) == sentence.format(url=url)


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    """Nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UsageError) as caught:
        read_url(f"http://user:secret@127.0.0.1:{port}/metrics?token=secret")
    assert str(caught.value) == f"http://127.0.0.1:{port}/metrics?… cannot be read (Connection refused)"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://host/metrics", "a scrape is read over http or https, not 'ftp'; write http://HOST:PORT/metrics"),
        ("file:///etc/passwd", "a scrape is read over http or https, not 'file'; write http://HOST:PORT/metrics"),
        ("http:///metrics", "the URL names no host; write http://HOST:PORT/metrics"),
        ("http://host:0/metrics", "the URL names no host; write http://HOST:PORT/metrics"),
        ("http://host:999999/", "that is no URL (Port out of range 0-65535); write http://HOST:PORT/metrics"),
    ],
)
def test_what_is_no_url_of_a_scrape_is_refused(url: str, sentence: str) -> None:
    """Only http and https, and never a local file by way of a URL."""
    with pytest.raises(UsageError) as caught:
        read_url(url)
    assert str(caught.value) == sentence


def test_credentials_are_not_shown() -> None:
    """Findings are printed in CI; a password in a URL is not."""
    assert shown_as("https://me:secret@host:1/metrics?token=a#b") == "https://host:1/metrics?…"
    assert shown_as("specs/a.yml") == "specs/a.yml"
