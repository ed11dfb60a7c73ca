"""A deep tree is walked, and everything else is as it was afterwards."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path

import pytest

from obslib.lint import Project, check
from obslib.lint.stack import with_room


def test_a_long_chain_of_operators_is_walked_to_its_end(tmp_path: Path) -> None:
    """Generated code adds up a thousand terms in one expression; with the usual room that is a RecursionError."""
    text = "x = " + " + ".join(["a"] * 1_500) + "\nx(" + "f(" * 60 + ")" * 61 + "\n"

    def work() -> int:
        return len(check(tmp_path / "a.py", text, Project()).findings)

    with pytest.raises(RecursionError):
        work()
    assert with_room(work) == 0


def test_it_raises_what_was_raised_and_leaves_nothing_behind() -> None:
    """The limits are put back, the garbage collector runs again."""
    before = (sys.getrecursionlimit(), threading.stack_size(), gc.isenabled())
    with pytest.raises(KeyError, match="of the work"):
        with_room(lambda: {}["of the work"])
    assert with_room(gc.isenabled) is False
    assert (sys.getrecursionlimit(), threading.stack_size(), gc.isenabled()) == before


def test_without_room_it_is_done_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that gives no thread gives an answer all the same."""

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert with_room(lambda: "done") == "done"
