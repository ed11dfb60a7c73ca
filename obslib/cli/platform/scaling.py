"""``platform scale``: how many instances of each process type."""

from __future__ import annotations

import re
from collections.abc import Sequence

from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.session import Session

__all__ = ["parse", "scale"]

_WISH = re.compile(r"([a-z][a-z0-9-]{0,31})=([0-9]{1,6})\Z")


def parse(words: Sequence[str]) -> dict[str, int]:
    """``["web=3"]`` as ``{"web": 3}``; raises CliFailure for anything else, and for a process type named twice."""
    wishes: dict[str, int] = {}
    for word in words:
        found = _WISH.match(word)
        if found is None:
            raise CliFailure(Category.INVALID_USAGE, f"{word!r} is not PROCESS=N", hint="for example: platform scale web=3")
        if found.group(1) in wishes:
            raise CliFailure(Category.INVALID_USAGE, f"{found.group(1)!r} is named twice", hint="say it once")
        wishes[found.group(1)] = int(found.group(2))
    return wishes


def scale(session: Session, words: Sequence[str]) -> None:
    """Set the scale; what runs follows, which ``describe env`` shows."""
    wishes = parse(words)
    target = session.target("org", "app", "env")
    made = session.api.send("PUT", session.env_path(target, "scale"), wishes)
    if session.flags.is_json:
        session.screen.document({**made, "replicas": wishes, "trace_id": session.trace_id})
        return
    session.screen.line(f"desired in {target.env}: " + ", ".join(f"{name}={count}" for name, count in wishes.items()))
    session.screen.note(f"trace {session.trace_id}")
