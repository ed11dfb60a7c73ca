"""Whatever one file is, it gets one clear line, and the others are looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from obslib.lint.linter import Outcome
from tests.lint.fake_engine import FakeEngine, wrote


@pytest.mark.parametrize(
    ("text", "code", "line", "message"),
    [
        ("x = (\n", "OBS901", 1, "cannot parse this: '(' was never closed"),
        ("x = 1\n  y = 2\n", "OBS901", 2, "cannot parse this: unexpected indent"),
        ("def f(\n", "OBS901", 1, "cannot parse this: "),
        ("print 'x'\n", "OBS901", 1, "cannot parse this: Missing parentheses in call to 'print'"),
        ("x = 1\ny = '\0'\n", "OBS901", 2, "NUL"),
        ("x = " + "(" * 1_000 + ")" * 1_000, "OBS901", 1, "nested"),
        ("x = " + "-" * 200_000 + "1", "OBS901", 1, "nested too deeply to be read"),
        ("x = " + "[" * 150 + "]" * 150 + "\n# raises: RecursionError", "OBS901", 1, "nested too deeply to be read"),
        ("# raises: KeyError\n", "OBS904", 1,
         "the linter failed on this file (KeyError: 'broken rule'); report that with the file"),
        ("# raises: ValueError\n", "OBS904", 1,
         "the linter failed on this file (ValueError: broken rule); report that with the file"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_looked_at_is_one_line(text: str, code: str, line: int, message: str, tmp_path: Path) -> None:
    """Where it went wrong and what to do, also when it is the linter that is wrong."""
    (finding,) = FakeEngine().linter().lint(wrote(tmp_path / "a.py")(text)).findings
    assert finding.code == code
    assert message in finding.message
    assert finding.place.line == line


def test_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    """One line for each odd file, and the defect in the good one is found."""
    files = {
        "good.py": b"x = user_id\n", "broken.py": b"x = (", "latin.py": b"# \xe4\n", "crlf.py": b"\r\nx = user_id\r\n",
        "notebook.ipynb": b"{}", "large.py": b"#" * 10_000_000,
    }  # fmt: skip
    for name, raw in files.items():
        wrote(tmp_path / name)(raw)
    os.mkfifo(tmp_path / "pipe.py")
    linter = FakeEngine().linter()
    outcome = Outcome.of([linter.lint(path) for path in sorted(tmp_path.iterdir())])
    assert [(Path(f.path).name, str(f.code), f.place.line) for f in outcome.findings] == [
        ("broken.py", "OBS901", 1), ("crlf.py", "OBS103", 2), ("good.py", "OBS103", 1), ("large.py", "OBS903", 1),
        ("latin.py", "OBS902", 1), ("notebook.ipynb", "OBS903", 1), ("pipe.py", "OBS902", 1),
    ]  # fmt: skip
    assert (outcome.files, sorted(Path(path).name for path in outcome.texts)) == (7, ["broken.py", "crlf.py", "good.py"])


def test_what_python_warns_of_is_not_ours_to_tell(tmp_path: Path) -> None:
    """A regular expression in an ordinary string is read in silence."""
    assert FakeEngine().linter().lint(wrote(tmp_path / "a.py")('x = "\\d" if x is 1 else 2\n')).findings == ()
