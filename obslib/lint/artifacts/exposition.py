"""A scrape: its samples and type lines, each with the line it stands on.

prometheus-client's parsers judge the format, text and OpenMetrics, and read labels and values; the lines are counted here,
and names are taken as they are written, because the text parser renames a counter whose name lacks ``_total``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO, cast

from obslib.lint.artifacts.document import Document, Malformed
from obslib.lint.finding import Place

__all__ = ["Exposition", "Sample", "TypeLine", "read_exposition"]

_TYPE = re.compile(r"#\s*TYPE\s+(?P<name>\S+)\s+(?P<type>\S+)\s*\Z")
_NAME = re.compile(r'\s*(?P<name>[a-zA-Z_:][\w:]*|\{\s*"[^"]*")')
_WORDS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One line with a value: the name as written, its labels, its line."""

    name: str
    labels: Mapping[str, str]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeLine:
    """One ``# TYPE`` line."""

    name: str
    type: str
    line: int


@dataclass(frozen=True, slots=True)
class Exposition:
    """What one scrape of one process holds."""

    document: Document
    samples: tuple[Sample, ...]
    types: tuple[TypeLine, ...]

    def place(self, line: int, text: str = "") -> Place:
        """Where ``text`` stands in a line first; the whole line without it, or where it is not found as it is."""
        at = self.document.lines[line - 1].find(text) if text else -1
        return _stretch(line, at, at + len(text)) if at >= 0 else self.document.line(line)

    def place_of_label(self, line: int, label: str) -> Place:
        """Where a sample names a label."""
        found = self._label(line, label)
        return _stretch(line, *found.span("label")) if found else self.document.line(line)

    def place_of_value(self, line: int, label: str) -> Place:
        """Where a sample gives a label its value, the quotes with it."""
        found = self._label(line, label)
        return _stretch(line, *found.span("value")) if found else self.document.line(line)

    def _label(self, line: int, label: str) -> re.Match[str] | None:
        pattern = rf'[{{,]\s*"?(?P<label>{re.escape(label)})"?\s*=\s*(?P<value>"(?:[^"\\]|\\.)*")'
        return re.search(pattern, self.document.lines[line - 1])


def read_exposition(document: Document) -> Exposition:
    """Every sample of a scrape; raises Malformed, also for one that is empty: nothing would be checked."""
    from prometheus_client.openmetrics import parser as openmetrics
    from prometheus_client.parser import text_fd_to_metric_families

    is_openmetrics = "openmetrics" in document.content_type or document.text.rstrip().endswith("# EOF")
    lines = _Counted(document.lines)
    written = [
        (number, line) for number, line in enumerate(document.lines, 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    try:
        parse = openmetrics.text_fd_to_metric_families if is_openmetrics else text_fd_to_metric_families
        families = list(parse(cast("TextIO", lines)))
    except Exception as error:  # a parser of a stranger's bytes: what it raises is no promise of its
        said = " ".join(str(error).split())[:_WORDS] or type(error).__name__
        place = document.line(max(lines.read, 1))
        raise Malformed(f"this is not what a scrape holds ({said}); a process answers it at /metrics", place) from None
    found = [sample for family in families for sample in family.samples]
    if not found or len(found) != len(written):
        said = "it has no sample" if not found else "its lines and its samples differ in number"
        raise Malformed(f"this is not what a scrape holds ({said}); a process answers it at /metrics", document.line(1))
    samples = (
        Sample(name=_name(document, number, line), labels=dict(sample.labels), line=number)
        for (number, line), sample in zip(written, found, strict=True)
    )
    types = ((number, match) for number, line in enumerate(document.lines, 1) if (match := _TYPE.match(line)))
    return Exposition(
        document,
        tuple(samples),
        tuple(TypeLine(name=match["name"], type=match["type"], line=number) for number, match in types),
    )


def _stretch(line: int, start: int, end: int) -> Place:
    return Place(line=line, column=start + 1, end_line=line, end_column=end + 1)


def _name(document: Document, number: int, line: str) -> str:
    found = _NAME.match(line)
    if found is None:
        raise Malformed("this is not what a scrape holds (a sample begins with the name of a metric)", document.line(number))
    return found["name"].lstrip("{ ").strip('"')


class _Counted:
    """Lines as a file gives them, and how many of them were taken: where a parser stood when it gave up."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        last = len(self._lines) - (0 if self._lines[-1] else 1)
        for line in self._lines[:last]:
            self.read += 1
            yield line + "\n"
