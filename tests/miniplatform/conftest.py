"""A migrated database, and a control plane over one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from miniplatform.config import Timings
from miniplatform.store.migrate import migrate
from miniplatform.store.pool import Database
from tests.miniplatform.platform_in_process import InProcess, in_process

_copies = itertools.count(1)


@pytest.fixture(scope="session")
def template_url(postgres_url: str) -> str:
    """The URL of a database with the schema applied, to be copied."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_migrated")
    url = postgres_url.replace("/postgres?", "/template_migrated?")
    asyncio.run(migrate(url))
    return url


@pytest.fixture
def migrated_url(postgres_url: str, template_url: str) -> Iterator[str]:
    """The URL of a fresh database with the schema applied."""
    name = f"migrated_{next(_copies)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_migrated")
    yield template_url.replace("/template_migrated?", f"/{name}?")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """A pool on a fresh database with the schema applied."""
    database = Database(migrated_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def plane(migrated_url: str) -> AsyncIterator[InProcess]:
    """A control plane and a projector in this process."""
    async with in_process(migrated_url, Timings(projection_wait_s=2.0)) as plane:
        yield plane
