"""``platform retention``: how long the platform keeps what."""

from __future__ import annotations

import typer

from obslib.cli.platform.api import path
from obslib.cli.platform.grouping import Holder, group
from obslib.cli.platform.session import Session

__all__ = ["commands", "show"]


def commands(holder: Holder) -> typer.Typer:
    """The ``retention`` group."""
    retention = group("How long the platform keeps what.", "retention")

    @retention.callback()
    def one_noun() -> None:
        """How long the platform keeps what."""

    @retention.command("show")
    def show_command() -> None:
        """Every key of the retention policy, its value, and the file it was written in."""
        show(holder["session"])

    return retention


def show(session: Session) -> None:
    """Show key, value and source of each."""
    found = session.api.get(path("retention"))
    if session.flags.is_json:
        session.screen.document(found)
        return
    for line in found.get("items") or ():
        session.screen.line(f"{line.get('key')} = {line.get('value')}  ({line.get('source')})")
