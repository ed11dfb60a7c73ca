"""The one shape of everything on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

__all__ = ["TEXT_LIMIT", "Record", "Text"]

TEXT_LIMIT = 1_024
"""Characters kept of any free text in a report."""


class Record(BaseModel):
    """A frozen model that ignores unknown fields; a wrong value raises pydantic's ``ValidationError`` (a ``ValueError``)."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _cut(value: object) -> object:
    if isinstance(value, str) and len(value) > TEXT_LIMIT:
        return value[: TEXT_LIMIT - 1] + "…"
    return value


Text = Annotated[str, BeforeValidator(_cut)]
"""Free text from a component, cut to ``TEXT_LIMIT`` with ``…`` rather than refused: a long error must not cost a heartbeat."""
