"""The global flags, which may stand before or after the subcommand (platform facts §20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from obslib.cli.platform.failure import Category, CliFailure

__all__ = ["GlobalFlags", "command_of", "globals_first", "refuse_empty", "refuse_undecodable"]

_VALUED = ("--org", "--project", "--app", "--env", "--emergency")
_HINTS = {"--emergency": "write --emergency REASON: a sentence that the org will read"}
_SWITCHES = ("--json", "--debug", "--verbose", "--yes", "--no-input")


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalFlags:
    """What was said for the whole command; a target is empty when it was not named.

    Projects group apps for people and are no boundary, so ``project`` is accepted and changes nothing. ``emergency`` is the
    reason for which an operator reads in a tenant's org.
    """

    org: str = ""
    project: str = ""
    app: str = ""
    env: str = ""
    emergency: str = ""
    is_json: bool = False
    is_debug: bool = False
    is_verbose: bool = False
    is_confirmed: bool = False
    may_ask: bool = True


def globals_first(argv: Sequence[str]) -> list[str]:
    """``argv`` with the global flags moved to the front, where the command reads them; nothing after ``--`` moves.

    Raises CliFailure for one without its value, which would otherwise swallow the next word, and for one
    whose value is empty, which would otherwise mean the saved context.
    """
    flags: list[str] = []
    words: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        name, is_given, value = word.partition("=")
        if word == "--":
            return [*flags, *words, "--", *rest]
        if name in _VALUED and is_given:
            refuse_empty(name, value, hint=_HINTS.get(name, ""))
            flags.append(word)
        elif word in _VALUED:
            if not rest or rest[0].startswith("-"):
                raise CliFailure(Category.INVALID_USAGE, f"{word} needs a value", hint=f"write {word} NAME")
            refuse_empty(word, rest[0], hint=_HINTS.get(word, ""))
            flags += [word, rest.pop(0)]
        else:
            (flags if word in _SWITCHES else words).append(word)
    return [*flags, *words]


def refuse_empty(name: str, value: str, *, hint: str = "") -> None:
    """Raise CliFailure for a value that was given and is empty or blank: an unset variable in a script, most likely."""
    if not value.strip():
        hint = hint or f"write {name} NAME, or leave it out for the saved context"
        raise CliFailure(Category.INVALID_USAGE, f"{name} is empty: it names nothing", hint=hint)


def refuse_undecodable(argv: Sequence[str]) -> None:
    """Raise CliFailure for a word that is no UTF-8, which no name on the platform can be."""
    for word in argv:
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise CliFailure(Category.INVALID_USAGE, f"the argument {word!r} is not valid UTF-8", hint="write it in UTF-8")


def command_of(argv: Sequence[str]) -> str:
    """The subcommand that ``argv`` names, such as ``platform describe env``; for an error, so it never fails."""
    words: list[str] = []
    is_value = False
    for word in argv:
        if not is_value and not word.startswith("-"):
            words.append(word)
        is_value = word in _VALUED and not is_value
    return " ".join(["platform", *words[:2]]).encode(errors="backslashreplace").decode()
