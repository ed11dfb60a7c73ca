"""Comments that silence a rule at one place, with the reason written beside it.

```python
emit(user_id=1)  # obslib: ignore[OBS103] one fixture user, deleted after the test
# obslib: ignore[OBS103, undeclared-metric] until 2027-01-31 the exporter is replaced in January
emit(user_id=1, name="legacy")
# obslib: ignore-file[OBS501] this file is a command, its output is its answer
```
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from obslib.lint.finding import Finding, Place
from obslib.lint.own import Own

__all__ = ["Silenced", "Suppression", "silence", "suppressions_in"]

_PERHAPS = re.compile(r"#\s*obslib\s*:")
_BEGUN = re.compile(r"#\s*obslib\s*:\s*(?P<rest>.*?)(?=\s#\s|\s#\s*obslib\s*:|$)")
_COMMENT = re.compile(r"(?P<word>ignore(?:-file)?)\[(?P<codes>[^\]]*)\](?P<reason>.*)\Z")
_MEANT = re.compile(r"(?:ig|no-?qa|disable|skip|allow|suppress)", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z0-9-]+")
_UNTIL = re.compile(r"(?:^|\s)until\s+(?P<day>\d\S*)")
_SPELT = "write '# obslib: ignore[OBS101] reason', with 'until 2027-01-31' before or after the reason if it shall end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One comment: ``codes`` as they are spelt, each with its column, silenced in lines ``first`` to ``last``.

    ``first`` is 0 for the whole file. ``problem`` is what is wrong with the comment, which then silences nothing.
    """

    place: Place
    codes: tuple[tuple[str, int], ...] = ()
    first: int = 0
    last: int = 0
    has_reason: bool = False
    until: str = ""
    problem: str = ""

    def covers(self, finding: Finding) -> bool:
        """Whether the finding touches the lines it is about."""
        return not self.first or (finding.place.line <= self.last and self.first <= finding.place.end_line)

    def is_over(self, today: date) -> bool:
        """Whether its last day has passed."""
        return bool(self.until) and date.fromisoformat(self.until) < today


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """What is left to say after the comments were heard, and how much they silenced."""

    findings: tuple[Finding, ...]
    suppressed: int


def suppressions_in(text: str) -> tuple[Suppression, ...]:
    """The comments of a source that Python can read; what looks like one within a string is none."""
    if _PERHAPS.search(text) is None:
        return ()
    comments, statements = _tokens(text)
    lines = text.split("\n")
    return tuple(
        each
        for comment in comments
        for each in _suppressions(comment, *_covered(comment, lines[comment.start[0] - 1], statements))
    )


def silence(
    path: str,
    findings: Sequence[Finding],
    suppressions: Iterable[Suppression],
    *,
    today: date,
    rule: Callable[[str], str | None],
) -> Silenced:
    """The findings that no suppression covers, and one for each suppression that is wrong, over, or covers nothing.

    ``rule`` gives the code for a code or a name as people spell it, None for what is neither.
    """
    heard: set[Finding] = set()
    said: list[Finding] = []
    for each in suppressions:
        if each.problem or not each.has_reason or each.is_over(today):
            said.append(_refused(path, each))
            continue
        for spelt, column in each.codes:
            place = Place(line=each.place.line, column=column, end_line=each.place.line, end_column=column + len(spelt))
            code = rule(spelt)
            if code is None:
                message = f"no rule is called {spelt!r}; 'obslib explain' lists them"
                said.append(Finding(path=path, place=place, code=Own.UNKNOWN_RULE, message=message))
                continue
            covered = {finding for finding in findings if finding.code == code and each.covers(finding)}
            heard |= covered
            if not covered:
                where = "in this file" if not each.first else "here"
                message = f"{code} is suppressed and not found {where}; delete it from the comment"
                said.append(Finding(path=path, place=place, code=Own.UNUSED, message=message))
    left = [finding for finding in findings if finding not in heard]
    return Silenced(findings=tuple(sorted((*left, *said), key=lambda each: (each.place, each.code))), suppressed=len(heard))


def _refused(path: str, suppression: Suppression) -> Finding:
    if suppression.problem:
        code, message = Own.MALFORMED, f"{suppression.problem}; {_SPELT}"
    elif not suppression.has_reason:
        code, message = Own.NO_REASON, "a suppression without a reason suppresses nothing; write why after the brackets"
    else:
        code = Own.EXPIRED
        message = f"the suppression ended after {suppression.until}; mend what it hid, or decide again until when"
    return Finding(path=path, place=suppression.place, code=code, message=message)


def _tokens(text: str) -> tuple[list[tokenize.TokenInfo], list[tuple[int, int]]]:
    """The comments, and the lines of each statement; a decorator is of the statement it decorates."""
    comments: list[tokenize.TokenInfo] = []
    statements: list[tuple[int, int]] = []
    first, is_decorator, begun = 0, False, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                comments.append(token)
            elif token.type == tokenize.NEWLINE:
                if not is_decorator:
                    statements.append((begun, token.start[0]))
                    begun = 0
                first = 0
            elif token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT) and not first:
                first, is_decorator = token.start[0], token.string == "@"
                begun = begun or first
    except (tokenize.TokenError, SyntaxError):
        pass  # what was read until there counts; the parser has said what is wrong
    return comments, statements


def _covered(comment: tokenize.TokenInfo, text: str, statements: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The lines a comment is about: behind code its line, or the statement it ends; on its own the statement or line below."""
    line, column = comment.start
    if text[:column].strip():
        return next((lines for lines in statements if lines[1] == line), (line, line))
    if any(begun < line < ended for begun, ended in statements):
        return line + 1, line + 1
    return next((lines for lines in statements if lines[0] > line), (line, line))


def _suppressions(comment: tokenize.TokenInfo, first: int, last: int) -> Iterator[Suppression]:
    line, column = comment.start
    for begun in _BEGUN.finditer(comment.string):
        if _MEANT.match(begun["rest"]):
            place = Place(
                line=line, column=column + begun.start() + 1, end_line=line, end_column=column + begun.end("rest") + 1
            )
            yield _suppression(begun["rest"].rstrip(), place, column + begun.start("rest"), first, last)


def _suppression(rest: str, place: Place, begin: int, first: int, last: int) -> Suppression:
    found = _COMMENT.match(rest)
    if found is None:
        return Suppression(place=place, problem="the comment looks like a suppression and is none")
    codes = tuple((code[0], begin + found.start("codes") + code.start() + 1) for code in _CODE.finditer(found["codes"]))
    if not codes or not re.fullmatch(r"\s*[A-Za-z0-9-]+(?:\s*,\s*[A-Za-z0-9-]+)*\s*", found["codes"]):
        return Suppression(place=place, problem="the suppression names no rules between its brackets")
    reason, until, problem = _ending(found["reason"].strip(" \t:-"))
    if found["word"] == "ignore-file":
        first = last = 0
    return Suppression(
        place=place,
        codes=codes,
        first=first,
        last=last,
        has_reason=bool(re.search(r"\w", reason)),
        until=until,
        problem=problem,
    )


def _ending(text: str) -> tuple[str, str, str]:
    """The reason without its end date, the date, and what is wrong with it."""
    dates = list(_UNTIL.finditer(text))
    if not dates:
        return text, "", ""
    found = dates[0]
    day = found["day"].rstrip(".,;:")
    if len(dates) > 1 or (found.start() and found.end() != len(text)):
        return text, "", "the end date of a suppression stands once, before or after the reason"
    try:
        date.fromisoformat(day)
    except ValueError:
        return text, "", f"{day!r} is no date of the form 2027-01-31"
    if len(day) != 10:
        return text, "", f"{day!r} is no date of the form 2027-01-31"
    return (text[: found.start()] + text[found.end() :]).strip(" \t:,;-"), day, ""
