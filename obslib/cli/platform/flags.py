"""The global flags, which may stand before or after the subcommand (platform facts §20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from obslib.cli.platform.failure import Category, CliFailure

__all__ = ["GlobalFlags", "command_of", "globals_first"]

_VALUED = ("--org", "--project", "--app", "--env")
_SWITCHES = ("--json", "--debug", "--verbose", "--yes", "--no-input")


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalFlags:
    """What was said for the whole command; a target is empty when it was not named.

    Projects group apps for people and are no boundary, so ``project`` is accepted and changes nothing.
    """

    org: str = ""
    project: str = ""
    app: str = ""
    env: str = ""
    is_json: bool = False
    is_debug: bool = False
    is_verbose: bool = False
    is_confirmed: bool = False
    may_ask: bool = True


def globals_first(argv: Sequence[str]) -> list[str]:
    """``argv`` with the global flags moved to the front, where the command reads them; nothing after ``--`` moves.

    Raises CliFailure for one without its value, which would otherwise swallow the next word.
    """
    flags: list[str] = []
    words: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        name, is_given, _ = word.partition("=")
        if word == "--":
            return [*flags, *words, "--", *rest]
        if name in _VALUED and is_given:
            flags.append(word)
        elif word in _VALUED:
            if not rest or rest[0].startswith("-"):
                raise CliFailure(Category.INVALID_USAGE, f"{word} needs a value", hint=f"write {word} NAME")
            flags += [word, rest.pop(0)]
        else:
            (flags if word in _SWITCHES else words).append(word)
    return [*flags, *words]


def command_of(argv: Sequence[str]) -> str:
    """The subcommand that ``argv`` names, such as ``platform describe env``; for an error, so it never fails."""
    words: list[str] = []
    is_value = False
    for word in argv:
        if not is_value and not word.startswith("-"):
            words.append(word)
        is_value = word in _VALUED and not is_value
    return " ".join(["platform", *words[:2]])
