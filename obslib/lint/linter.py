"""One run over many files: whatever one of them is, it gets its answer, and the others get theirs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from obslib.lint.cache import Cache, Kept
from obslib.lint.finding import Finding, Place
from obslib.lint.own import Own
from obslib.lint.source import Source, Unfit
from obslib.lint.suppression import Silenced, silence, suppressions_in

__all__ = ["Answer", "Checked", "Linter", "Outcome"]

_NESTED = "the file is nested too deeply to be read; exclude it if it is generated, else take it apart"


class Checked(Protocol):
    """What the rules have to say about one source."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Sorted by place."""

    @property
    def read(self) -> frozenset[Path]:
        """Every other file the answer depends on, those that were looked for in vain included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What there is to report about one file, and how much its comments silenced; ``source`` is None if it has none."""

    path: Path
    findings: tuple[Finding, ...]
    suppressed: int = 0
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a report is made of. ``texts`` holds the text of each file with findings, by the path in them; ``files`` counts
    what was looked at and what could not be.
    """

    findings: tuple[Finding, ...]
    texts: dict[str, str]
    files: int
    suppressed: int = 0

    @staticmethod
    def of(answers: Sequence[Answer], beside: Iterable[Finding] = (), texts: Mapping[str, str] | None = None) -> Outcome:
        """All answers together, with findings beside them and the ``texts`` that those are about."""
        asides = tuple(beside)
        findings = sorted(
            (*asides, *(f for answer in answers for f in answer.findings)), key=lambda f: (f.path, f.place, f.code)
        )
        looked_at = {*(str(answer.path) for answer in answers), *(texts or {})}
        return Outcome(
            findings=tuple(findings),
            texts={**(texts or {}), **{str(each.path): each.source.text for each in answers if each.findings and each.source}},
            files=len(looked_at | {finding.path for finding in asides}),
            suppressed=sum(answer.suppressed for answer in answers),
        )


class Linter:
    """Lints files one at a time.

    ``check`` is the engine, which may raise for a source as ``ast.parse`` does; ``rule`` gives the code for a code or a
    name; ``is_reported`` says whether a code is wanted for a path.
    """

    def __init__(
        self,
        check: Callable[[Path, str], Checked],
        *,
        cache: Cache,
        today: date,
        rule: Callable[[str], str | None],
        is_reported: Callable[[Path, str], bool] = lambda path, code: True,
    ) -> None:
        self._check, self._cache, self._today, self._rule, self._is_reported = check, cache, today, rule, is_reported

    def lint(self, path: Path) -> Answer:
        """The answer for the file at ``path``, from the cache where nothing has changed."""
        try:
            source = Source.read(path)
        except Unfit as unfit:
            return Answer(path=path, findings=(_finding(path, unfit.code, unfit.message, unfit.place),))
        kept = self._cache.get(path, source.digest)
        if kept is None:
            kept = self._look(source)
            if not any(finding.code == Own.LINTER_FAILED for finding in kept.findings):
                self._cache.put(path, source.digest, kept)
        return self._answer(source, kept)

    def lint_source(self, source: Source) -> Answer:
        """The answer for a source that is in no file, or not yet."""
        return self._answer(source, self._look(source))

    def _answer(self, source: Source, kept: Kept) -> Answer:
        path = source.path
        heard = Silenced(findings=kept.findings, suppressed=0)
        if kept.suppressions:
            heard = silence(str(path), kept.findings, kept.suppressions, today=self._today, rule=self._rule)
        wanted = tuple(finding for finding in heard.findings if self._is_reported(path, finding.code))
        return Answer(path=path, findings=wanted, suppressed=heard.suppressed, source=source)

    def _look(self, source: Source) -> Kept:
        if "\0" in source.text:
            line = source.text[: source.text.index("\0")].count("\n") + 1
            return _blind(source, Own.SYNTAX_ERROR, "the file holds a NUL character, which is no Python", Place.at(line))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                checked = self._check(source.path, source.text)
            return Kept(findings=checked.findings, suppressions=suppressions_in(source.text), read=checked.read)
        except SyntaxError as error:
            return _blind(
                source, Own.SYNTAX_ERROR, f"Python {_version()} cannot parse this: {error.msg}", _place(source, error)
            )
        except (RecursionError, MemoryError):
            return _blind(source, Own.SYNTAX_ERROR, _NESTED)
        except Exception as error:
            why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            return _blind(source, Own.LINTER_FAILED, f"the linter failed on this file ({why}); report that with the file")


def _blind(source: Source, code: Own, message: str, place: Place | None = None) -> Kept:
    return Kept(findings=(_finding(source.path, code, message, place),))


def _finding(path: Path, code: Own, message: str, place: Place | None = None) -> Finding:
    return Finding(path=str(path), place=place or Place.at(), code=code, message=message)


def _place(source: Source, error: SyntaxError) -> Place:
    lines = source.text.split("\n")
    line = min(max(error.lineno or 1, 1), len(lines))
    return Place.at(line, min(max(error.offset or 1, 1), len(lines[line - 1]) + 1))


def _version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
