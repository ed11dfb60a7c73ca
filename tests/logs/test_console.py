"""A person at a terminal reads the same, redacted, without control sequences."""

from __future__ import annotations

import re
from typing import Any


def test_a_line_for_a_person(make_rig: Any) -> None:
    """Level, message and fields are readable; a secret is not."""
    rig = make_rig(console=True)
    rig.log.info("started", password="hunter2", count=3)
    text = re.sub(r"\x1b\[[0-9;]*m", "", rig.sink.lines[0].decode())
    assert text == (
        "2025-12-17T19:33:20.000000Z [info     ] started component=agent count=3 "
        "node_id=node_01J00000000000000000000000 password=[redacted:key]"
    )


def test_control_sequences_are_shown_not_obeyed(make_rig: Any) -> None:
    """Escape codes in messages and fields arrive as text."""
    rig = make_rig(console=True)
    rig.log.info("clear \x1b[2J\x07", note=["\x9b31m"], nested={"\x1b": "\r"})
    text = re.sub(r"\x1b\[[0-9;]*m", "", rig.sink.lines[0].decode())
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\r"}
    assert r"clear \x1b[2J\x07" in text


def test_a_message_cannot_forge_a_second_line(make_rig: Any) -> None:
    """A line end in a message, a field, a name or an exception's text is shown; one call is one line."""
    rig = make_rig(console=True)
    rig.log.info("ok\n2025 [error] forged", note="a\u2028b\r\nc", **{"x\ny": "z"})
    (text,) = re.sub(r"\x1b\[[0-9;]*m", "", rig.sink.lines[0].decode()).splitlines()
    assert r"ok\n2025 [error] forged" in text
    assert r"a\u2028b\x0d\nc" in text
    rig.log.error("failed", error=ValueError("one\ntwo"))
    assert r"ValueError: one\ntwo" in rig.sink.lines[1].decode()


def test_an_exception_stands_below_its_line(make_rig: Any) -> None:
    """Type, message, frames and causes follow, innermost last."""
    rig = make_rig(console=True)
    try:
        raise ValueError("outer") from KeyError("inner")
    except ValueError:
        rig.log.exception("failed")
    text = rig.sink.lines[0].decode()
    assert "ValueError: outer" in text
    assert "cause: KeyError: 'inner'" in text
    assert re.search(r"test_console\.py:\d+ in test_an_exception_stands_below_its_line", text)
