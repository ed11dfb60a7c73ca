"""A page of the specs: people write it, and the catalog fills the parts between its markers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from obslib.errors import SpecError

__all__ = ["fill", "names_in"]

_PART = re.compile(r"<!-- generated: (?P<name>[a-z-]+) -->\n(?P<body>.*?)<!-- end -->", re.DOTALL)
_MARKER = re.compile(r"<!-- (generated:.*?|end) -->")


def fill(page: str, parts: Mapping[str, str], *, where: str) -> str:
    """``page`` with the text between ``<!-- generated: NAME -->`` and ``<!-- end -->`` replaced by ``parts[NAME]``.

    Raises SpecError, naming ``where``, for a part that nobody renders and for a marker without its other half.
    """
    opened = len(_PART.findall(page))
    if len(_MARKER.findall(page)) != 2 * opened:
        raise SpecError(f"{where} has a marker without its other half; a generated part ends with '<!-- end -->'")
    for name in names_in(page):
        if name not in parts:
            raise SpecError(f"{where} asks for a part {name!r}; there are {', '.join(sorted(parts))}")
    return _PART.sub(lambda found: f"<!-- generated: {found['name']} -->\n\n{parts[found['name']]}\n<!-- end -->", page)


def names_in(page: str) -> tuple[str, ...]:
    """The names of the generated parts of ``page``, in order."""
    return tuple(found["name"] for found in _PART.finditer(page))
