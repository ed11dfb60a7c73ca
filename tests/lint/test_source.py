"""A file is read as Python reads it, and whatever is no source is told in one sentence."""

from __future__ import annotations

import codecs
import os
import re
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obslib.lint import Edit, Place
from obslib.lint.source import LARGEST_BYTES, Source, Unfit
from tests.lint.fake_engine import wrote


def edit(line: int, column: int, end: int, text: str) -> Edit:
    """Replace characters of one line."""
    return Edit(place=Place(line=line, column=column, end_line=line, end_column=end), text=text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a = 1\nb = 2\n", "a = 1\nb = 2\n"),
        (b"a = 1\r\nb = 2\r\n", "a = 1\nb = 2\n"),
        (b"a = 1\rb = 2\r", "a = 1\nb = 2\n"),
        (codecs.BOM_UTF8 + "ä = 1".encode(), "ä = 1"),
        ("# -*- coding: latin-1 -*-\nä = 1".encode("latin-1"), "# -*- coding: latin-1 -*-\nä = 1"),
        ("#!/usr/bin/python\r# coding: cp1252\rx = '€'".encode("cp1252"), "#!/usr/bin/python\n# coding: cp1252\nx = '€'"),
        ("# coding: euc-jp\nx = '日本'".encode("euc-jp"), "# coding: euc-jp\nx = '日本'"),
        (b"a = 1\x0cb = 2\n\x0cc = 3", "a = 1\x0cb = 2\n\x0cc = 3"),
        (b"", ""),
    ],
)
def test_a_file_is_read_as_python_reads_it(raw: bytes, text: str, tmp_path: Path) -> None:
    """PEP 263, byte order marks, and every end of line there is."""
    assert Source.read(wrote(tmp_path / "a.py")(raw)).text == text


@pytest.mark.parametrize(
    ("raw", "after"),
    [
        (b"a = 1\r\nb = 2\rc = 3\n", b"a = 1\r\nb = 9\r\n#\rc = 3\n"),
        (codecs.BOM_UTF8 + b"a = 1\nb = 2\n", codecs.BOM_UTF8 + b"a = 1\nb = 9\n#\n"),
        ("# coding: latin-1\nä = 2".encode("latin-1"), "# coding: latin-1\nä = 9\n#".encode("latin-1")),
    ],
)
def test_an_edit_changes_nothing_but_what_it_replaces(raw: bytes, after: bytes, tmp_path: Path) -> None:
    """Each line keeps its own end, the file its mark and its encoding; a new line ends as the first one does."""
    source = Source.read(wrote(tmp_path / "a.py")(raw))
    assert source.edited([edit(2, 5, 6, "9\n#")]).raw == after


def test_an_edit_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """What the encoding lacks, or a place the file lacks, raises and loses nothing."""
    source = Source.read(wrote(tmp_path / "a.py")("# coding: latin-1\nä = 2".encode("latin-1")))
    for wrong in (edit(2, 1, 2, "€"), edit(3, 1, 2, "x"), edit(2, 40, 41, "x")):
        with pytest.raises(ValueError):
            source.edited([wrong])


@pytest.mark.parametrize(
    ("name", "raw", "code", "line", "message"),
    [
        ("a.py", b"x = 1\ny = '\xff'\n", "OBS902", 2,
         "the file is not UTF-8, and declares nothing else: byte 0xff in line 2; save it as UTF-8"),
        ("a.py", b"\xfe\xffx", "OBS902", 1,
         "the file is not UTF-8, and declares nothing else: byte 0xfe in line 1; save it as UTF-8"),
        ("a.py", b"# coding: ascii\n\xe4", "OBS902", 2, "the file is not ascii: byte 0xe4 in line 2; save it as UTF-8"),
        ("a.py", b"# coding: klingon\n", "OBS902", 1,
         "the file cannot be decoded (unknown encoding: klingon); save it as UTF-8"),
        ("a.py", b"# coding: rot13\nk = 1\n", "OBS902", 1, "the file declares the encoding 'rot13'; save it as UTF-8"),
        ("a.py", b"#" * (LARGEST_BYTES + 1), "OBS903", 1,
         "the file is larger than 2 MiB; exclude it if it is generated, else split it"),
        ("a.ipynb", b"{}", "OBS903", 1, "a notebook is no Python source; export it as a script and lint that"),
    ],
)  # fmt: skip
def test_what_is_no_source_is_told_in_one_sentence(
    name: str, raw: bytes, code: str, line: int, message: str, tmp_path: Path
) -> None:
    """With the line, where there is one."""
    with pytest.raises(Unfit) as unfit:
        Source.read(wrote(tmp_path / name)(raw))
    assert (unfit.value.code, unfit.value.place.line, unfit.value.message) == (code, line, message)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to, a device without an end, a socket, a folder, and what is not there."""
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "broken.py").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s.py"))
    said: dict[str, str] = {}

    def read() -> None:
        for path in (*sorted(tmp_path.iterdir()), tmp_path / "gone.py", Path("/dev/zero"), Path("/dev/tty0")):
            try:
                Source.read(path)
            except Unfit as unfit:
                said[path.name] = unfit.message

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    reading.join(30)
    listening.close()
    assert not reading.is_alive(), "it waits for what never comes"
    no_file = "it is a pipe, a device or a folder and no regular file; name another"
    assert {name: said[name] for name in ("pipe.py", "folder.py", "zero")} == dict.fromkeys(
        ("pipe.py", "folder.py", "zero"), no_file
    )
    assert said["broken.py"] == "the file is a symbolic link to nothing; run again, or exclude it"
    assert said["gone.py"] == "the file is gone since it was found; run again, or exclude it"
    assert said["loop.py"] == "the file cannot be read (too many levels of symbolic links); make it readable, or exclude it"
    assert said["s.py"].startswith("the file cannot be read (no such device or address)")


_TEXT = st.text(alphabet=st.sampled_from("ab ä中\t\x0c\x0b\u2028\x85=#"), max_size=8)
_END = st.sampled_from(["\n", "\r\n", "\r"])


@settings(max_examples=40)
@given(st.lists(st.tuples(_TEXT, _END), min_size=1, max_size=5), _TEXT, st.data())
def test_an_edit_is_the_same_in_what_python_sees_and_in_what_is_kept(
    lines: list[tuple[str, str]], text: str, data: st.DataObject
) -> None:
    """Whatever a file is made of: columns are those of the tree, and no end of line but the edited ones changes."""
    source = Source.of(Path("a.py"), "".join(line + end for line, end in lines).encode())
    seen = source.text.split("\n")
    number = data.draw(st.integers(1, len(seen)))
    begin = data.draw(st.integers(0, len(seen[number - 1])))
    end = data.draw(st.integers(begin, len(seen[number - 1])))
    after = source.edited([edit(number, begin + 1, end + 1, text)])
    seen[number - 1] = seen[number - 1][:begin] + text + seen[number - 1][end:]
    assert after.text == "\n".join(seen)
    assert re.findall("\r\n|\r|\n", after.written) == re.findall("\r\n|\r|\n", source.written)
