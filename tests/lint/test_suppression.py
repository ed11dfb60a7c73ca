"""A defect is silenced only by a comment that says which, where and why, and for no longer than it says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.lint.fake_engine import TODAY, FakeEngine, codes, wrote


def said(tmp_path: Path, text: str, *, today: date = TODAY) -> list[tuple[int, str]]:
    """What is reported about a file with this text."""
    return codes(FakeEngine().linter(today=today), wrote(tmp_path / "a.py")(text))


@pytest.mark.parametrize(
    "text",
    [
        "x = user_id  # obslib: ignore[OBS103] one fixture user\n",
        "x = user_id  # obslib: ignore[raw-label] one fixture user\n",
        "x = user_id  # obslib:ignore[obs103]: one fixture user\n",
        "x = user_id  # type: ignore  # obslib: ignore[OBS103] one fixture user  # noqa: E501\n",
        "# obslib: ignore[OBS103] one fixture user\nx = user_id\n",
        "# obslib: ignore[OBS103] one fixture user\n# which is told of here\n\nx = f(\n    1,\n    user_id,\n)\n",
        "x = f(\n    1,\n    user_id,\n)  # obslib: ignore[OBS103] one fixture user\n",
        "x = f(\n    1,\n    # obslib: ignore[OBS103] one fixture user\n    user_id,\n)\n",
        "x = f(\n    1,\n    user_id,  # obslib: ignore[OBS103] one fixture user\n)\n",
        "# obslib: ignore[OBS103] one fixture user\n@wraps\n@label(user_id)\ndef f(user_id):\n    pass\n",
        "# obslib: ignore-file[OBS103] fixtures only\n\n\nx = user_id\ny = user_id\n",
        "x = 1\ny = user_id\n# obslib: ignore-file[OBS103] fixtures only\n",
        "x = user_id  # obslib: ignore[OBS103] until 2026-11-25 one fixture user\n",
        "x = user_id  # obslib: ignore[OBS103] one fixture user, until 2026-11-25.\n",
        "if x:\n    y = user_id  # obslib: ignore[OBS103] waits until the exporter is gone\n",
    ],
)
def test_a_suppression_silences_what_it_is_written_at(text: str, tmp_path: Path) -> None:
    """Behind code its line or the statement it ends, on its own the statement or argument below, or the whole file."""
    assert said(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("x = user_id  # obslib: ignore[OBS103] why\ny = user_id\n", [(2, "OBS103")]),
        ("# obslib: ignore[OBS103] why\nx = user_id\ny = user_id\n", [(3, "OBS103")]),
        ("# obslib: ignore[OBS103] why\nfor x in user_id:\n    y = user_id\n", [(3, "OBS103")]),
        ("x = f(\n    1,  # obslib: ignore[OBS103] why\n    user_id,\n)\n", [(2, "OBS911"), (3, "OBS103")]),
        ("x = 'user_id # obslib: ignore[OBS103] why'\n", [(1, "OBS103")]),
        ("x = '''\n# obslib: ignore[OBS103] why\nuser_id'''\n", [(3, "OBS103")]),
        ("x = user_id  # obslib: ignore[OBS103]\n", [(1, "OBS103"), (1, "OBS914")]),
        ("x = user_id  # obslib: ignore[OBS103] until 2027-01-31\n", [(1, "OBS103"), (1, "OBS914")]),
        ("x = user_id  # obslib: ignore[OBS103] --\n", [(1, "OBS103"), (1, "OBS914")]),
        ("x = 1  # obslib: ignore[OBS103] why\n", [(1, "OBS911")]),
        ("x = user_id  # obslib: ignore[OBS103, OBS501] why\n", [(1, "OBS911")]),
        ("# obslib: ignore-file[OBS103] why\nx = 1\n", [(1, "OBS911")]),
        ("x = user_id  # obslib: ignore[OBS130] why\n", [(1, "OBS103"), (1, "OBS912")]),
        ("x = user_id  # obslib: ignore[OBS103] until 2026-11-24 why\n", [(1, "OBS103"), (1, "OBS913")]),
        ("x = 1  # obslib: ignore[OBS103] why until 2026-11-24\n", [(1, "OBS913")]),
        ("x = user_id  # obslib: ignore[OBS103] until 2027-02-30 why\n", [(1, "OBS103"), (1, "OBS915")]),
        ("x = user_id  # obslib: ignore[OBS103] until 20270131 why\n", [(1, "OBS103"), (1, "OBS915")]),
        ("x = user_id  # obslib: ignore[OBS103] only until 2027-01-31 and no longer\n", [(1, "OBS103"), (1, "OBS915")]),
        ("x = user_id  # obslib: ignore OBS103 why\n", [(1, "OBS103"), (1, "OBS915")]),
        ("x = user_id  # obslib: ignore[] why\n", [(1, "OBS103"), (1, "OBS915")]),
        ("x = user_id  # obslib: ignore[OBS103 OBS501] why\n", [(1, "OBS103"), (1, "OBS915")]),
        ("x = user_id  # obslib: noqa\n", [(1, "OBS103"), (1, "OBS915")]),
        ("x = user_id  # obslib: ignore-all[OBS103] why\n", [(1, "OBS103"), (1, "OBS915")]),
        ("x = 1  # obslib: the library that emits this\n", []),
    ],
)
def test_mutant_a_suppression_that_does_not_hold_is_told(text: str, left: list[tuple[int, str]], tmp_path: Path) -> None:
    """Reasonless, unused, unknown, over, misspelt or elsewhere: it silences nothing, and says so."""
    assert said(tmp_path, text) == left


def test_a_suppression_ends_with_its_last_day(tmp_path: Path) -> None:
    """On the day itself it still holds; the day after, the defect is back and the comment is a defect too."""
    text = "x = user_id  # obslib: ignore[OBS103] until 2027-01-31 replaced in January\n"
    assert said(tmp_path, text, today=date(2027, 1, 31)) == []
    assert said(tmp_path, text, today=date(2027, 2, 1)) == [(1, "OBS103"), (1, "OBS913")]


def test_each_says_in_a_sentence_what_to_do(tmp_path: Path) -> None:
    """And stands under the very word it is about."""
    text = "x = 1  # obslib: ignore[OBS103, OBS999] why\ny = 1  # obslib: ignore[OBS103] until then 2027-1-1 x until 2027-1-1\n"
    found = FakeEngine().linter().lint(wrote(tmp_path / "a.py")(text)).findings
    lines = text.split("\n")
    assert [(lines[f.place.line - 1][f.place.column - 1 : f.place.end_column - 1], f.message) for f in found] == [
        ("OBS103", "OBS103 is suppressed and not found here; delete it from the comment"),
        ("OBS999", "no rule is called 'OBS999'; 'obslib explain' lists them"),
        (
            lines[1][7:],
            "'2027-1-1' is no date of the form 2027-01-31; write '# obslib: ignore[OBS101] reason', "
            "with 'until 2027-01-31' before or after the reason if it shall end",
        ),
    ]


def test_what_is_silenced_is_counted(tmp_path: Path) -> None:
    """Nothing disappears from the summary."""
    text = "# obslib: ignore-file[OBS103] fixtures only\nx = user_id\ny = user_id\n"
    assert FakeEngine().linter().lint(wrote(tmp_path / "a.py")(text)).suppressed == 2
