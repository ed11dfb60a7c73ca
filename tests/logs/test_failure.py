"""A line about an exception says class, message, retryable, frames and causes, redacted and bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from obslib.errors import ErrorClass

Line = Callable[..., dict[str, Any]]
HERE = __file__


class _ConflictError(Exception):
    error_class = ErrorClass.CONFLICT
    retryable = False
    error_code = 40001


class _HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")

    @property
    def error_class(self) -> ErrorClass:
        raise RuntimeError("no")


def _raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_frames_are_file_line_and_function_without_source(rig: Any, expected: Line) -> None:
    """The exception object names each frame, outermost first, and opens no file."""
    error = _raised(ValueError("bad plan"))
    rig.log.error("failed", error=error, attempt=2)
    line = error.__traceback__.tb_lineno if error.__traceback__ else 0
    exception = {"type": "ValueError", "message": "bad plan", "frames": [{"file": HERE, "line": line, "function": "_raised"}]}
    assert rig.line() == expected(
        "error", "failed", attempt=2, error_class="invalid_argument", error_message="bad plan", retryable=False,
        exception=exception,
    )  # fmt: skip


@pytest.mark.parametrize("how", ["handled", "exc_info true", "exc_info tuple", "exc_info", "error", "exception", "warn"])
def test_the_exception_is_found_however_it_is_given(rig: Any, how: str) -> None:
    """error=, exc_info= in all its forms and the exception being handled give the same fields, at any level."""
    try:
        raise TimeoutError("slow")
    except TimeoutError as error:
        write = rig.log.error
        triple = (type(error), error, error.__traceback__)
        match how:
            case "handled":
                write("m")
            case "exc_info true":
                write("m", exc_info=True)
            case "exc_info tuple":
                write("m", exc_info=triple)
            case "exc_info":
                write("m", exc_info=error)
            case "error":
                write("m", error=error)
            case "exception":
                rig.log.exception("m")
            case "warn":
                rig.log.warn("m", exc_info=True)
    line = rig.line()
    assert (line["error_class"], line["error_message"], line["retryable"]) == ("timeout", "slow", True)
    assert line["exception"]["type"] == "TimeoutError"
    assert "exc_info" not in line
    assert "error" not in line
    assert rig.noted() == {}


def test_without_an_exception_the_class_is_internal_and_counted(rig: Any, expected: Line) -> None:
    """The three fields stand on every error line; a class named by the caller is taken and not counted."""
    rig.log.error("plain", error="just text")
    rig.log.error("named", error_class="timeout", error_message="too slow")
    rig.log.error("refused", error_class="no such class", retryable=True)
    internal = {"error_class": "internal", "retryable": False}
    assert rig.lines() == [
        expected("error", "plain", **internal, error_message="plain", error="just text"),
        expected("error", "named", error_class="timeout", error_message="too slow", retryable=True),
        expected("error", "refused", error_class="internal", error_message="refused", retryable=True),
    ]
    assert rig.noted() == {"no_exception": 2}


def test_an_error_may_know_its_class_and_code(rig: Any) -> None:
    """error_class, retryable and error_code of the exception itself win."""
    rig.log.error("m", error=_ConflictError("clash"))
    line = rig.line()
    assert (line["error_class"], line["retryable"], line["error_code"]) == ("conflict", False, "40001")


def test_causes_contexts_notes_and_groups_are_nested(rig: Any) -> None:
    """What caused an exception, what was being handled, its notes and its parts are all there, and a cycle ends."""
    root, middle, top = KeyError("root"), ValueError("middle"), RuntimeError("top")
    top.__cause__, middle.__context__, root.__context__ = middle, root, top
    top.add_note("password=hunter2")
    rig.log.error("m", error=ExceptionGroup("several", [top, OSError("part")]))
    exception = rig.line()["exception"]
    first, second = exception["exceptions"]
    assert exception["type"] == "ExceptionGroup"
    assert second == {"type": "OSError", "message": "part", "frames": []}
    assert first["notes"] == ["password=[redacted:assignment]"]
    assert first["cause"]["message"] == "middle"
    assert first["cause"]["context"] == {"type": "KeyError", "message": "'root'", "frames": []}


def test_endless_chains_and_stacks_are_cut(rig: Any) -> None:
    """The innermost 50 frames and 8 causes are kept, and a message of 1 024 characters."""

    def fall(depth: int) -> None:
        if depth:
            fall(depth - 1)
        raise ValueError("x" * 5_000)

    error: BaseException = ValueError()
    for _ in range(100):
        outer = ValueError("y")
        outer.__cause__ = error
        error = outer
    rig.log.error("chain", error=error)
    try:
        fall(200)
    except ValueError:
        rig.log.exception("deep")
    chain, deep_line = rig.lines()
    assert str(chain).count("'cause'") == 8
    assert len(deep_line["exception"]["frames"]) == 50
    assert deep_line["exception"]["frames_omitted"] == 152
    assert len(deep_line["error_message"]) == 1_024


def test_hostile_exceptions_are_described_all_the_same(rig: Any) -> None:
    """An exception whose str and attributes fail, or whose text is not UTF-8, still gives its line."""
    rig.log.error("m", error=_HostileError())
    rig.log.error("m", error=ValueError("\ud800", b"\xff"))
    first, second = rig.lines()
    assert (first["error_class"], first["error_message"]) == ("internal", "_HostileError")
    assert "ud800" in second["error_message"]


def test_secrets_in_messages_frames_and_causes_are_redacted(rig: Any) -> None:
    """A secret in any exception text, or in a made-up file name, is replaced."""
    secret = "ghp_" + "a1B2c3D4" * 5
    code = compile("raise ValueError('again')", f"/run/{secret}.py", "exec")
    try:
        try:
            raise KeyError(f"token={secret}")
        except KeyError:
            exec(code)
    except ValueError:
        rig.log.exception("m")
    assert secret.encode() not in rig.sink.lines[0]
    assert rig.line()["exception"]["context"]["message"].count("[redacted:") == 1
