"""Every backend of the LogStore, and readers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from obslib.testing import FixedClock
from obslib.workload import LogStore, SqliteLogStore
from tests.workload.scene import Readers

BACKENDS: dict[str, Callable[[Path, FixedClock], LogStore]] = {
    "sqlite": lambda directory, clock: SqliteLogStore(directory, clock=clock),
}
"""A backend that is added here is held to the whole contract."""


@pytest.fixture
def clock() -> FixedClock:
    """Time that stands an hour after the first lines, so that no line is from the future."""
    clock = FixedClock()
    clock.advance(3_600)
    return clock


@pytest.fixture(params=BACKENDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> AsyncIterator[LogStore]:
    """An empty store of each backend."""
    store = BACKENDS[request.param](tmp_path / "logs", clock)
    yield store
    await store.close()


@pytest.fixture
def readers() -> Readers:
    """Who asks."""
    return Readers()
