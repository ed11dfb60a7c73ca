"""Whether a runbook can be used: all its sections are there, and none is empty."""

from __future__ import annotations

import re

from obslib.catalog.upkeep import Runbook

__all__ = ["missing_sections"]

_HEADING = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)


def missing_sections(text: str) -> tuple[str, ...]:
    """The sections of ``Runbook.SECTIONS`` that the page lacks or leaves empty."""
    pieces = _HEADING.split(text)
    found = {title.strip(): body.strip() for title, body in zip(pieces[1::2], pieces[2::2], strict=True)}
    return tuple(section for section in Runbook.SECTIONS if not found.get(section))
