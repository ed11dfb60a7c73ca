"""The audit trail in files: on the disk before it is said, and safe across crashes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from obslib.access import GENESIS, JsonLinesAudit, SinkFailure, WrongHead, verify
from obslib.access.audit import json_lines
from obslib.errors import SettingsError
from tests.access.audit.records import OURS, THEIRS, a_record


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[JsonLinesAudit]:
    """A trail in an empty directory."""
    trail = JsonLinesAudit(tmp_path / "audit", on_torn=unexpected)
    yield trail
    trail.close()


def unexpected(path: Path) -> None:
    """What is told of a torn line where there should be none."""
    raise AssertionError(f"{path} was put aside")


async def append(trail: JsonLinesAudit, *numbers: int, org_id: str = OURS) -> str:
    """Append records one after another; the new head."""
    head = await trail.head(org_id)
    for number in numbers:
        head = await trail.append(a_record(number, org_id=org_id), head)
    return head


def file_of(tmp_path: Path, org_id: str = OURS) -> Path:
    """Where an org's records are."""
    return tmp_path / "audit" / f"{org_id}.audit.jsonl"


async def test_each_org_has_a_chain_and_a_file_of_its_own(trail: JsonLinesAudit, tmp_path: Path) -> None:
    """Orgs do not share a file, what is read back verifies, and only the owner may read it."""
    head = await append(trail, 1, 2, 3)
    await append(trail, 4, org_id=THEIRS)
    assert [link.record for link in trail.links(OURS)] == [a_record(n) for n in (1, 2, 3)]
    assert verify(trail.links(OURS), head=head) is None
    assert verify(trail.links(THEIRS)) is None
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600
    assert list(trail.links("org_00000000000000000000000000")) == []


async def test_it_goes_on_after_a_restart(trail: JsonLinesAudit, tmp_path: Path) -> None:
    """A second process continues the chain where the first one ended."""
    await append(trail, 1, 2)
    trail.close()
    again = JsonLinesAudit(tmp_path / "audit", on_torn=unexpected)
    head = await append(again, 3)
    assert verify(again.links(OURS), head=head) is None
    again.close()


@pytest.mark.parametrize("kept", [1, 40, -1])
async def test_a_torn_last_line_is_put_aside_and_told(kept: int, trail: JsonLinesAudit, tmp_path: Path) -> None:
    """A line that a crash cut short was never acknowledged: it is moved aside, told, and the chain goes on before it."""
    head = await append(trail, 1, 2)
    whole = file_of(tmp_path).read_bytes()
    await append(trail, 3)
    trail.close()
    torn = file_of(tmp_path).read_bytes()[len(whole) :][:kept]
    file_of(tmp_path).write_bytes(whole + torn)
    told: list[Path] = []
    again = JsonLinesAudit(tmp_path / "audit", on_torn=told.append)
    assert await again.head(OURS) == head
    assert [path.read_bytes() for path in told] == [torn]
    await append(again, 4)
    assert [link.record for link in again.links(OURS)] == [a_record(n) for n in (1, 2, 4)]
    assert verify(again.links(OURS)) is None
    again.close()


async def test_a_changed_last_record_is_not_built_upon(trail: JsonLinesAudit, tmp_path: Path) -> None:
    """After somebody has changed the last record the trail refuses to go on, instead of hiding it under new ones."""
    await append(trail, 1)
    trail.close()
    path = file_of(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"usr_1", b"usr_2"))
    again = JsonLinesAudit(tmp_path / "audit", on_torn=unexpected)
    with pytest.raises(SinkFailure, match="is not what was written"):
        await append(again, 2)
    assert verify(again.links(OURS)) is not None
    again.close()


async def test_a_full_disk_keeps_no_part_of_a_record(
    trail: JsonLinesAudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails half-way is told as a full disk and taken back; with space again the chain goes on whole."""
    await append(trail, 1)
    before = file_of(tmp_path).read_bytes()

    def half(file: int, content: bytes) -> None:
        os.write(file, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(json_lines, "_write_all", half)
        with pytest.raises(SinkFailure) as failed:
            await append(trail, 2)
    assert (failed.value.reason, file_of(tmp_path).read_bytes()) == ("disk_full", before)
    head = await append(trail, 3)
    assert verify(trail.links(OURS), head=head) is None


async def test_the_disk_has_it_before_append_returns(
    trail: JsonLinesAudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that does not confirm has not kept the record, and the line is taken back."""
    await append(trail, 1)
    synced: list[bytes] = []

    def refuse(file: int) -> None:
        synced.append(file_of(tmp_path).read_bytes())
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(json_lines.os, "fsync", refuse)
    with pytest.raises(SinkFailure) as failed:
        await append(trail, 2)
    assert failed.value.reason == "write_failed"
    assert [orjson.loads(line)["seq"] for line in synced[0].splitlines()] == [1, 2]
    assert len(file_of(tmp_path).read_bytes().splitlines()) == 1


async def test_only_who_knows_the_end_may_append(trail: JsonLinesAudit) -> None:
    """A head that has been passed, or never was one, is refused."""
    await append(trail, 1, 2)
    for head in (GENESIS, "f" * 64):
        with pytest.raises(WrongHead):
            await trail.append(a_record(3), head)


async def test_a_directory_has_one_owner(trail: JsonLinesAudit, tmp_path: Path) -> None:
    """A second process, or a path that is no directory, is refused in a sentence."""
    with pytest.raises(SettingsError, match=r"another process, writes the audit trail in .*; stop it, or name another"):
        JsonLinesAudit(tmp_path / "audit", on_torn=unexpected)
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be used for the audit trail: File exists; name another"):
        JsonLinesAudit(tmp_path / "file", on_torn=unexpected)


async def test_closed_is_closed(tmp_path: Path) -> None:
    """After close nothing is kept, and it says so."""
    trail = JsonLinesAudit(tmp_path / "audit", on_torn=unexpected)
    trail.close()
    with pytest.raises(SinkFailure) as refused:
        await trail.append(a_record(), GENESIS)
    assert refused.value.reason == "closed"


async def test_an_org_id_is_no_path(trail: JsonLinesAudit) -> None:
    """A chain's name cannot leave the directory."""
    with pytest.raises(SinkFailure, match="can name no audit file"):
        await trail.head("../../etc/passwd")


async def test_a_record_that_could_not_be_read_back_is_refused(tmp_path: Path) -> None:
    """What is kept is found again after a restart, even with a torn line behind it; a longer record is refused."""
    for size, is_kept in ((523_000, True), (524_288, False), (1_100_000, False)):
        trail = JsonLinesAudit(tmp_path / str(size), on_torn=unexpected)
        head = await append(trail, 1)
        big = a_record(2, subject_org_id="x" * size)
        if is_kept:
            head = await trail.append(big, head)
        else:
            with pytest.raises(SinkFailure, match=r"an audit record of \d+ bytes could not be read back; at most 524288"):
                await trail.append(big, head)
        trail.close()
        path = tmp_path / str(size) / f"{OURS}.audit.jsonl"
        path.write_bytes(path.read_bytes() + b"x" * 524_287)
        again = JsonLinesAudit(tmp_path / str(size), on_torn=lambda path: None)
        assert await again.head(OURS) == head
        assert verify(again.links(OURS), head=await append(again, 3)) is None
        again.close()
