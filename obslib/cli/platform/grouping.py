"""What every group of subcommands is made with: how a group is set up, and where a run finds its session."""

from __future__ import annotations

import typer

from obslib.cli.platform.session import Session

__all__ = ["Holder", "group"]

Holder = dict[str, Session]
"""Holds the one ``session`` of a run once the global flags have been read."""


def group(help: str, name: str | None = None, epilog: str | None = None) -> typer.Typer:
    """A group of subcommands that prints plain help and leaves every error to ``main``."""
    return typer.Typer(
        name=name, help=help, epilog=epilog, add_completion=False, no_args_is_help=False, rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )  # fmt: skip
