"""Lines for a person at a terminal.

Made from the finished JSON line, so that what a person sees has been through the same redaction.
"""

from __future__ import annotations

import orjson
import structlog

__all__ = ["ConsoleFormat"]

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}
_CONTROL |= {10: "\\n", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class ConsoleFormat:
    """Renders one JSON line with structlog's ConsoleRenderer; control characters are shown, not obeyed.

    Line ends count as control characters, so that no message can forge a second line.
    """

    def __init__(self, *, colors: bool = True) -> None:
        self._render = structlog.dev.ConsoleRenderer(colors=colors, event_key="msg", pad_event_to=0)

    def __call__(self, line: bytes) -> bytes:
        """The line as a person reads it, an exception below it."""
        fields = {name.translate(_CONTROL): _shown(value) for name, value in orjson.loads(line).items() if value != ""}
        exception = fields.pop("exception", None)
        text = self._render(None, "", fields)
        if isinstance(exception, dict):
            text += "\n" + "\n".join(_exception(exception))
        return str(text).encode()


def _shown(value: object) -> object:
    if isinstance(value, str):
        return value.translate(_CONTROL)
    if isinstance(value, dict):
        return {str(name).translate(_CONTROL): _shown(item) for name, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _exception(found: dict[str, object], relation: str = "") -> list[str]:
    lines = [f"  {relation}{found.get('type')}: {found.get('message')}"]
    frames = found.get("frames")
    for frame in frames if isinstance(frames, list) else ():
        lines.append(f"    {frame['file']}:{frame['line']} in {frame['function']}")
    for name in ("cause", "context"):
        inner = found.get(name)
        if isinstance(inner, dict):
            lines += _exception(inner, f"{name}: ")
    return lines
