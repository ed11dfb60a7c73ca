"""Streams that take nothing: a lost answer is a failure in one sentence, a lost note is nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LOST = "error: standard output cannot be written: "
COMMAND = [sys.executable, "-m", "obslib.cli.platform.main"]


def run(redirected: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a real process whose streams a shell has redirected."""
    script = f'exec "$@" {redirected}'
    done = subprocess.run(["sh", "-c", script, "sh", *COMMAND, *arguments], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("redirected", "arguments", "why"),
    [
        ("> /dev/full", ("whoami",), "no space left on device"),
        ("> /dev/full", ("whoami", "--json"), "no space left on device"),
        ("> /dev/full", ("--help",), "no space left on device"),
        (">&-", ("whoami",), "it is closed"),
    ],
)
def test_an_answer_that_cannot_be_written_is_a_failure(
    context: Path, redirected: str, arguments: tuple[str, ...], why: str
) -> None:
    """Exit 1 and one sentence, no traceback, whether the disk is full or the stream closed."""
    code, out, err = run(redirected, *arguments)
    assert (code, out) == (1, "")
    assert err.startswith(f"{LOST}{why}\nhint: ")
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize("redirected", ["2>&-", "2> /dev/full", ">&- 2>&-"])
def test_an_error_nobody_can_read_keeps_its_code(context: Path, redirected: str) -> None:
    """A usage error is exit 2 even when standard error takes nothing."""
    assert run(redirected, "nosuch") == (2, "", "")


def test_an_error_in_json_that_cannot_be_written_is_told_in_words(context: Path) -> None:
    """The code stays, and standard error has the sentence that the JSON would have held."""
    code, _, err = run("> /dev/full", "nosuch", "--json")
    assert (code, err) == (2, "error: No such command 'nosuch'\nhint: platform --help\n")


def test_lost_notes_do_not_hurt_the_answer(context: Path) -> None:
    """With standard error closed the answer is whole and the command succeeds."""
    code, out, _ = run("2>&-", "whoami", "--debug")
    assert (code, "scopes: a b" in out) == (0, True)


def test_a_closed_pipe_stays_quiet(context: Path) -> None:
    """A reader that goes away ends the command with 0 and no words."""
    script = '{ "$@"; echo "code $?" >&2; } | true'
    done = subprocess.run(["sh", "-c", script, "sh", *COMMAND, "whoami"], capture_output=True, text=True, timeout=30)
    assert done.stderr == "code 0\n"


OBSLIB = (sys.executable, "-c", "from obslib.cli.main import main; main()")


@pytest.mark.parametrize(("text", "code"), [("x = 1\n", 0), ("import obslib\n" + "print(1)\n" * 3_000, 1)])
def test_a_verdict_stands_though_its_reader_has_gone(text: str, code: int, tmp_path: Path) -> None:
    """'obslib lint | head' in a shell with pipefail fails when there is something to mend."""
    (tmp_path / "app.py").write_text(text)
    script = 'cd "$0"; { "$@"; echo "code $?" >&2; } | true'
    done = subprocess.run(
        ["sh", "-c", script, str(tmp_path), *OBSLIB, "lint", "--no-cache", "app.py"], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == f"code {code}\n"


def test_help_that_cannot_be_written_is_one_sentence() -> None:
    """A full disk gets no traceback for an answer to '--help'."""
    done = subprocess.run(
        ["sh", "-c", '"$@" > /dev/full', "sh", *OBSLIB, "lint", "--help"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr.count("\n"), "Traceback" in done.stderr) == (1, 1, False)
