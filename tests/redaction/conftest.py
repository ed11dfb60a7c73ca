from __future__ import annotations

from collections.abc import Callable

import pytest

from obslib.catalog.common import LOG_REDACTIONS
from obslib.redaction import Redactor
from obslib.tally import Tally


@pytest.fixture
def tally() -> Tally:
    """What the redactor of a test counts in."""
    return Tally()


@pytest.fixture
def redactor(tally: Tally) -> Redactor:
    """A redactor that knows no secrets yet."""
    return Redactor(tally)


@pytest.fixture
def counted(tally: Tally) -> Callable[[], dict[str, int]]:
    """The kinds that were counted, and how often."""

    def read() -> dict[str, int]:
        return {values[0]: total for family, values, total in tally.totals() if family is LOG_REDACTIONS and total}

    return read
