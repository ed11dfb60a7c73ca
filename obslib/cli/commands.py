"""Every command there is, as both programs would run it: what documents and the requirement ledger may name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from obslib.errors import UsageError
from obslib.ledger import Command

__all__ = ["commands"]


def commands(obslib: argparse._SubParsersAction[argparse.ArgumentParser]) -> tuple[Command, ...]:
    """The commands of ``platform`` and of ``obslib``, each with the flags it takes.

    Raises UsageError where the extra ``cli`` is not installed.
    """
    try:
        from obslib.cli.platform.app import build
    except ImportError as error:
        raise UsageError(
            f"the commands of platform cannot be listed without {error.name!r}; pip install 'platform-obslib[cli]'"
        ) from None
    platform, _ = build()
    return (
        *_of_platform(platform, ("platform",), _flags(platform)),
        *(_of_obslib(name, command) for name, command in obslib.choices.items()),
    )


def _of_platform(command: Any, words: tuple[str, ...], inherited: frozenset[str]) -> Iterator[Command]:
    children = getattr(command, "commands", None)
    if children is None:
        yield Command(words=words, flags=inherited | _flags(command))
        return
    for name, child in children.items():
        yield from _of_platform(child, (*words, name), inherited)


def _flags(command: Any) -> frozenset[str]:
    spelt = (name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts))
    return frozenset(name for name in spelt if name.startswith("-"))


def _of_obslib(name: str, command: argparse.ArgumentParser) -> Command:
    spelt = (flag for action in command._actions for flag in action.option_strings)
    return Command(words=("obslib", name), flags=frozenset(spelt))
