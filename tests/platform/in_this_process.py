"""``python -m miniplatform`` without starting an interpreter for it."""

from __future__ import annotations

from miniplatform.__main__ import main


def exit_code(*arguments: str) -> int:
    """What it ends with when it is run with these words; a traceback would be the test's own failure."""
    try:
        return main(list(arguments))
    except SystemExit as ending:
        return int(ending.code or 0)
