"""Every command there is, as both programs would run it: what documents and the requirement ledger may name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from obslib.ledger import Command

__all__ = ["commands"]


def commands(obslib: argparse.ArgumentParser) -> tuple[Command, ...]:
    """The commands of ``platform`` and of ``obslib``, each with the flags it takes; needs the extra ``cli``."""
    from obslib.cli.platform.app import build

    platform, _ = build()
    return (*_of_platform(platform, ("platform",), _flags(platform)), *_of_obslib(obslib, ("obslib",)))


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


def _of_obslib(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[Command]:
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        spelt = (name for action in parser._actions for name in action.option_strings)
        yield Command(words=words, flags=frozenset(spelt))
    for action in nested:
        for name, child in action.choices.items():
            yield from _of_obslib(child, (*words, name))
