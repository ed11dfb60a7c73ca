"""A repair changes what it says and nothing else, or it changes nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from obslib.lint import Edit, Finding, Place
from obslib.lint.mending import Mended, difference, mend, save
from obslib.lint.source import Source
from tests.lint.fake_engine import FakeEngine, wrote


def mended(source: Source, engine: FakeEngine | None = None) -> Mended:
    """The source after the fake engine's repairs."""
    linter = (engine or FakeEngine()).linter()
    return mend(source, lambda source: linter.lint_source(source).findings)


def finding(*edits: tuple[int, int, str]) -> Finding:
    """A finding with edits of one line: from, to, text."""
    places = [Place(line=1, column=begin, end_line=1, end_column=end) for begin, end, _ in edits]
    repairs = tuple(Edit(place=place, text=text) for place, (_, _, text) in zip(places, edits, strict=True))
    return Finding(path="a.py", place=places[0], code="OBS103", message="", edits=repairs)


def test_what_is_certain_is_mended_and_the_rest_is_left(tmp_path: Path) -> None:
    """Several in a line, several lines, ends of lines as they were, and nothing left to do afterwards."""
    source = Source.of(tmp_path / "a.py", b"x = f(user_id, user_id)  # mendable\r\ny = user_id\rz = user_id  # mendable")
    after = mended(source)
    assert after.source.raw == b"x = f(route, route)  # mendable\r\ny = user_id\rz = route  # mendable"
    assert (after.count, after.problem) == (3, "")
    assert mended(after.source).count == 0


def test_a_suppressed_finding_is_not_mended(tmp_path: Path) -> None:
    """Somebody wrote down why it shall stay."""
    source = Source.of(tmp_path / "a.py", b"x = user_id  # mendable  # obslib: ignore[OBS103] why\n")
    assert mended(source).source is source


@pytest.mark.parametrize(
    ("replacement", "problem"), [("(", "the result would be no Python"), ("user_id_", "each repair asks for another")]
)
def test_mutant_a_repair_that_breaks_the_file_or_never_ends_is_not_made(replacement: str, problem: str, tmp_path: Path) -> None:
    """A rule whose repair is wrong leaves the source as it was."""
    source = Source.of(tmp_path / "a.py", b"x = user_id  # mendable\n")
    assert mended(source, FakeEngine(replacement=replacement)) == Mended(source=source, problem=problem)


def test_repairs_that_touch_each_other_are_made_one_after_the_other() -> None:
    """The second is asked for again on the new text; an edit that two repairs share is made once."""
    source = Source.of(Path("a.py"), b"abcdef = 1\n")
    rounds = [
        [finding((1, 4, "xyz")), finding((3, 5, "!!")), finding((5, 6, "E"), (2, 2, "_")), finding((6, 7, "F"))],
        [],
    ]
    assert mend(source, lambda _: rounds.pop(0)).source.text == "xyzdeF = 1\n"
    rounds = [[finding((1, 1, "import x; "), (1, 2, "A")), finding((1, 1, "import x; "), (3, 4, "C"))], []]
    assert mend(source, lambda _: rounds.pop(0)).source.text == "import x; AbCdef = 1\n"


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    """Through a symbolic link, which stays one; no draft is left behind."""
    file = wrote(tmp_path / "real.py")("x = user_id  # mendable\n")
    file.chmod(0o751)
    link = tmp_path / "a.py"
    link.symlink_to(file)
    source = Source.read(link)
    save(source, mended(source).source)
    assert link.is_symlink()
    assert file.read_text() == "x = route  # mendable\n"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o751
    assert sorted(os.listdir(tmp_path)) == ["a.py", "real.py"]


def test_mutant_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """What somebody saved in their editor between reading and writing is theirs."""
    file = wrote(tmp_path / "a.py")("x = user_id  # mendable\n")
    source = Source.read(file)
    after = mended(source).source
    wrote(file)("x = 2\n")
    with pytest.raises(OSError, match="it was changed meanwhile"):
        save(source, after)
    assert (file.read_text(), os.listdir(tmp_path)) == ("x = 2\n", ["a.py"])


def test_the_difference_can_be_applied_by_other_tools(tmp_path: Path) -> None:
    """A unified diff that keeps carriage returns and says where the last line has no end."""
    source = Source.of(tmp_path / "a.py", b"a = 1\x0c\r\nx = user_id  # mendable")
    assert difference(source, mended(source).source, name="pkg/a.py") == (
        "--- a/pkg/a.py\n+++ b/pkg/a.py\n@@ -1,2 +1,2 @@\n a = 1\x0c\r\n"
        "-x = user_id  # mendable\n\\ No newline at end of file\n"
        "+x = route  # mendable\n\\ No newline at end of file\n"
    )
