"""Repairs carried out: on the text until nothing certain is left to mend, and on the file only when that went well."""

from __future__ import annotations

import ast
import contextlib
import difflib
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from obslib.lint.finding import Edit, Finding
from obslib.lint.source import Source

__all__ = ["Mended", "difference", "mend", "save"]

_ROUNDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """``source`` after ``count`` repairs; ``problem`` says why nothing was mended although something could be."""

    source: Source
    count: int = 0
    problem: str = ""


def mend(source: Source, findings: Callable[[Source], Sequence[Finding]]) -> Mended:
    """Carry out the repairs of ``findings`` and look again, until there are no more.

    All of it or nothing: a result that Python cannot parse, or repairs without an end, leave the source as it is.
    """
    mended, count = source, 0
    for _ in range(_ROUNDS):
        repairs = _apart(findings(mended))
        if not repairs:
            return Mended(source=mended, count=count)
        try:
            mended = mended.edited(tuple(dict.fromkeys(edit for repair in repairs for edit in repair)))
            _parse(mended.text)
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            why = "the result would be no Python" if isinstance(error, SyntaxError) else str(error)
            return Mended(source=source, problem=why)
        count += len(repairs)
    return Mended(source=source, problem="each repair asks for another")


def save(before: Source, after: Source) -> None:
    """Write ``after`` where ``before`` was read: at once, with the owner and the mode of the file, through a symbolic link.

    Raises OSError; the file is then as it was.
    """
    path = Path(os.path.realpath(before.path))
    kept = path.stat()
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(after.raw)
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), kept.st_uid, kept.st_gid)
            os.fchmod(file.fileno(), kept.st_mode & 0o7777)
        if path.read_bytes() != before.raw:
            raise OSError(0, "it was changed meanwhile")
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "it is write-protected")
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def difference(before: Source, after: Source, *, name: str) -> str:
    """The change as a unified diff that ``patch`` and ``git apply`` take; ends of lines are those of the file."""
    old, new = _lines(before.written), _lines(after.written)
    told = []
    for line in difflib.unified_diff(old, new, fromfile=f"a/{name}", tofile=f"b/{name}"):
        told.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(told)


def _lines(text: str) -> list[str]:
    """Lines as every tool but Python counts them."""
    *whole, last = text.split("\n")
    return [*(f"{line}\n" for line in whole), *([last] if last else [])]


def _apart(findings: Sequence[Finding]) -> list[tuple[Edit, ...]]:
    """The repairs that do not touch each other, the first one winning; an edit that two have in common is made once."""
    taken: list[Edit] = []
    repairs = []
    for finding in sorted(findings, key=lambda each: each.place):
        if finding.edits and not any(_collide(edit, other) for edit in finding.edits for other in taken):
            taken.extend(finding.edits)
            repairs.append(finding.edits)
    return repairs


def _collide(one: Edit, other: Edit) -> bool:
    if one == other:
        return False
    (begun, ended), (start, end) = ((_ends(edit)) for edit in (one, other))
    return (begun < end and start < ended) or begun == ended == start == end


def _ends(edit: Edit) -> tuple[tuple[int, int], tuple[int, int]]:
    place = edit.place
    return (place.line, place.column), (place.end_line, place.end_column)


def _parse(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ast.parse(text)
