"""Every rule there is, by code: its name and its manual page, whoever makes its findings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from obslib.errors import UsageError
from obslib.lint.artifacts.rules import ARTIFACT_RULES
from obslib.lint.own import Own
from obslib.lint.rule import Page
from obslib.lint.rules import RULES

__all__ = ["Entry", "chosen", "code_of", "rulebook"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One rule as people read about it; ``good`` and ``bad`` are sources."""

    code: str
    name: str
    page: Page
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What it reports, in one sentence."""
        return self.page.summary


@cache
def rulebook() -> Mapping[str, Entry]:
    """All of them, in the order of their codes."""
    entries = [
        *(Entry(code=r.code, name=r.name, page=r.page(), good=r.good, bad=r.bad) for r in RULES.values()),
        *(Entry(code=r.code, name=r.name, page=r.page(), good=r.good, bad=r.bad) for r in ARTIFACT_RULES.values()),
        *(Entry(code=code.value, name=name, page=page) for code, (name, page) in _OWN.items()),
    ]
    return {entry.code: entry for entry in sorted(entries, key=lambda entry: entry.code)}


def code_of(word: str) -> str | None:
    """The code for a code or a name, in whichever case; None for what is neither."""
    book, wanted = rulebook(), word.strip()
    if wanted.upper() in book:
        return wanted.upper()
    return next((entry.code for entry in book.values() if entry.name == wanted.lower()), None)


def chosen(words: Iterable[str], *, where: str) -> frozenset[str]:
    """The codes that are meant by codes, names and beginnings of codes (``OBS2``).

    Raises UsageError, naming ``where`` it was written, for a word that means no rule.
    """
    book, found = rulebook(), set[str]()
    for word in words:
        code = code_of(word)
        meant = {code} if code else {each for each in book if word and each.startswith(word.strip().upper())}
        if not meant:
            spelt = [*book, *(entry.name for entry in book.values())]
            close = difflib.get_close_matches(word.strip(), spelt, n=2) or difflib.get_close_matches(word.upper(), spelt, n=2)
            hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "'obslib explain' lists them"
            raise UsageError(f"{where}: no rule is called {word!r}; {hint}")
        found |= meant
    return frozenset(found)


_OWN: Mapping[Own, tuple[str, Page]] = {
    Own.SYNTAX_ERROR: (
        "syntax-error",
        Page(
            summary="A file that Python cannot parse, or that is nested too deeply to be walked.",
            why="Nothing in it was looked at, so nothing is known about it; that is not the same as clean.",
            fix="Mend what the message quotes. Exclude a file that is meant to be broken, or is written for another Python.",
        ),
    ),
    Own.UNREADABLE: (
        "unreadable",
        Page(
            summary="A file or folder that cannot be read: no permission, gone, a pipe, a circle of links, no text.",
            why="Nothing in it was looked at, so nothing is known about it; that is not the same as clean.",
            fix="Make it readable, save it as UTF-8, or write it into 'exclude' of [tool.obslib.lint].",
        ),
    ),
    Own.NOT_PYTHON: (
        "not-python",
        Page(
            summary="A notebook, or a file larger than any that was written by hand.",
            why="Nothing in it was looked at, so nothing is known about it; that is not the same as clean.",
            fix="Export the notebook as a script and lint that; exclude what was generated.",
        ),
    ),
    Own.LINTER_FAILED: (
        "linter-failed",
        Page(
            summary="A file on which the linter itself failed; all others were looked at.",
            why="A defect of the linter must not look like a clean file.",
            fix="Report the message with the file to those who keep obslib; exclude the file until it is mended.",
        ),
    ),
    Own.UNUSED: (
        "unused-suppression",
        Page(
            summary="A suppression of a rule that has nothing to say there.",
            why="It reads as a known defect where there is none, and it will hide the next one.",
            fix="Delete the rule from the comment, or the whole comment if it names no other.",
        ),
    ),
    Own.UNKNOWN_RULE: (
        "unknown-rule",
        Page(
            summary="A suppression of a rule that does not exist.",
            why="A misspelt code hides nothing, and its reader believes that it does.",
            fix="Spell the code or the name as 'obslib explain' lists it.",
        ),
    ),
    Own.EXPIRED: (
        "expired-suppression",
        Page(
            summary="A suppression whose last day has passed; it suppresses nothing any more.",
            why="Somebody promised that the defect would be gone by then, and the promise is the only thing that was checked.",
            fix="Mend the defect and delete the comment; or decide again, with a new day and the reason for it.",
        ),
    ),
    Own.NO_REASON: (
        "suppression-without-reason",
        Page(
            summary="A suppression that does not say why; it suppresses nothing.",
            why="Whoever meets it later can neither keep it nor remove it with a good conscience.",
            fix="Write why behind the brackets: '# obslib: ignore[OBS103] one fixture user, deleted after the test'.",
        ),
    ),
    Own.MALFORMED: (
        "malformed-suppression",
        Page(
            summary="A comment that looks like a suppression and is none.",
            why="It suppresses nothing, and its reader believes that it does.",
            fix="Spell it '# obslib: ignore[OBS103] reason', or '# obslib: ignore[OBS103] until 2027-01-31 reason'.",
        ),
    ),
}
