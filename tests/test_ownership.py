"""A directory has one writer of each kind, and who cannot have it is told why in a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from obslib.access import JsonLinesAudit
from obslib.errors import SettingsError
from obslib.ownership import Ownership
from obslib.workload import SqliteLogStore


def test_a_directory_has_one_writer(tmp_path: Path) -> None:
    """The second one is refused, whether it is of this process or of another, until the first lets go."""
    owner = Ownership(tmp_path / "a" / "b", what="audit trail")
    with pytest.raises(SettingsError) as refused:
        Ownership(tmp_path / "a" / "b", what="audit trail")
    assert str(refused.value) == (
        "somebody else, most likely another process, writes the audit trail in"
        f" {str(tmp_path / 'a' / 'b')!r}; stop it, or name another directory"
    )
    program = "import pathlib, sys, obslib.ownership as o; o.Ownership(pathlib.Path(sys.argv[1]), what='audit trail')"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a" / "b")], capture_output=True, text=True, check=False
    )
    assert "another process, writes the audit trail" in done.stderr
    owner.release()
    owner.release()
    Ownership(tmp_path / "a" / "b", what="audit trail").release()


async def test_the_audit_trail_and_the_workload_logs_may_share_a_directory(tmp_path: Path) -> None:
    """Nobody is blamed for a directory that one process uses for both: their files differ, and so do their locks."""
    trail = JsonLinesAudit(tmp_path, on_torn=lambda path: None)
    await SqliteLogStore(tmp_path).close()
    trail.close()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/proc/nope/x", "No such file or directory"),
        ("/dev/null", "File exists"),
        ("/tmp/a\0b", "a path holds no NUL character"),
    ],
)
def test_a_directory_that_cannot_be_used_is_a_setting_to_mend(path: str, why: str) -> None:
    """Both stores name the directory and what is wrong with it, with no traceback of the system's."""
    with pytest.raises(SettingsError) as audit:
        JsonLinesAudit(Path(path), on_torn=lambda path: None)
    assert str(audit.value) == f"the directory {path!r} cannot be used for the audit trail: {why}; name another"
    with pytest.raises(SettingsError) as logs:
        SqliteLogStore(Path(path))
    assert str(logs.value) == f"the directory {path!r} cannot be used for the workload logs: {why}; name another"
