"""The audit trail in files: one per org, one JSON line per record, each on the disk before ``append`` returns.

For a single process that owns the directory. A line that a crash tore has never been acknowledged; it is found when
the file is next used, moved aside and told, and the chain goes on from the last whole record.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import orjson

from obslib.access.audit.chain import GENESIS, Link, digest, is_chain_name
from obslib.access.audit.record import AuditRecord
from obslib.access.audit.sink import FailureReason, SinkFailure, WrongHead
from obslib.ownership import Ownership

__all__ = ["JsonLinesAudit"]

_TAIL = 1_048_576
_LONGEST_LINE = _TAIL // 2  # so that the tail holds the last whole line, whatever was torn after it
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class JsonLinesAudit:
    """Records in ``<directory>/<org>.audit.jsonl``, readable by the owner only.

    ``on_torn`` is told, in the writer's thread, the path to which the bytes of a torn last line were moved; log it. Raises
    SettingsError when the directory cannot be used or another process has it.
    """

    def __init__(self, directory: Path, *, on_torn: Callable[[Path], object]) -> None:
        self._directory = directory
        self._on_torn = on_torn
        self._ends: dict[str, tuple[int, str]] = {}
        self._ownership = Ownership(directory, what="audit trail")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="obslib-audit")

    async def head(self, org_id: str) -> str:
        """The hash of the org's newest whole record."""
        return await self._run(lambda: self._end(org_id)[1])

    async def append(self, record: AuditRecord, expected_head: str) -> str:
        """Write the line and wait for the disk; a write that fails half-way is taken back before the next.

        A record of more than 512 KiB is refused: after a restart nobody could find where the chain ends.
        """
        return await self._run(lambda: self._append(record, expected_head))

    def links(self, org_id: str) -> Iterator[Link]:
        """The org's records from the beginning, for ``verify``; raises ValueError at a line that is no record."""
        path = self._path(org_id)
        if path.exists():
            for line in path.read_bytes().splitlines():
                yield _parsed(line)

    def close(self) -> None:
        """Finish what is being written and give the directory back; ``append`` fails from now on. Safe to call twice."""
        self._writer.shutdown(wait=True)
        self._ownership.release()

    async def _run(self, work: Callable[[], str]) -> str:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._writer, work)
        except OSError as error:
            reason: FailureReason = "disk_full" if error.errno in _FULL else "write_failed"
            raise SinkFailure(f"the audit file cannot be written: {error.strerror or error}", reason=reason) from error
        except RuntimeError as error:  # the executor has been shut down
            raise SinkFailure("the audit trail is closed", reason="closed") from error

    def _append(self, record: AuditRecord, expected_head: str) -> str:
        seq, head = self._end(record.org_id)
        if head != expected_head:
            raise WrongHead(record.org_id)
        link = Link(seq=seq + 1, previous=head, hash=digest(head, record), record=record)
        line = _line(link)
        if len(line) > _LONGEST_LINE:
            raise SinkFailure(f"an audit record of {len(line)} bytes could not be read back; at most {_LONGEST_LINE} are kept")
        del self._ends[record.org_id]  # until the disk has it, the end is not known
        _write(self._path(record.org_id), line)
        self._ends[record.org_id] = (link.seq, link.hash)
        return link.hash

    def _end(self, org_id: str) -> tuple[int, str]:
        known = self._ends.get(org_id)
        if known is None:
            known = self._ends[org_id] = self._recovered(org_id)
        return known

    def _recovered(self, org_id: str) -> tuple[int, str]:
        path = self._path(org_id)
        with suppress(FileNotFoundError):
            whole, torn = _last_lines(path)
            if torn:
                self._put_aside(path, torn)
            if whole:
                last = _parsed(whole[-1])
                if last.hash != digest(last.previous, last.record):
                    raise SinkFailure(f"the last record of {path.name!r} is not what was written", reason="wrong_head")
                return last.seq, last.hash
        return 0, GENESIS

    def _put_aside(self, path: Path, torn: bytes) -> None:
        keep = path.stat().st_size - len(torn)
        aside = path.with_name(f"{path.name}.torn-at-{keep}")
        _write(aside, torn)
        os.truncate(path, keep)
        self._on_torn(aside)

    def _path(self, org_id: str) -> Path:
        if not is_chain_name(org_id):
            raise SinkFailure(f"{org_id[:40]!r} is no id of an org, so it can name no audit file")
        return self._directory / f"{org_id}.audit.jsonl"


def _write(path: Path, content: bytes) -> None:
    is_new = not path.exists()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(file).st_size
        try:
            _write_all(file, content)
            os.fsync(file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, before)
            raise
    finally:
        os.close(file)
    if is_new:
        _sync_directory(path.parent)


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _last_lines(path: Path) -> tuple[list[bytes], bytes]:
    """The whole lines in the last MiB of a file, and the bytes after its last newline."""
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
        content = file.read()
    end = content.rfind(b"\n") + 1
    return content[:end].splitlines(), content[end:]


def _line(link: Link) -> bytes:
    content = {"seq": link.seq, "previous": link.previous, "hash": link.hash, "record": link.record.as_dict()}
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS) + b"\n"


def _parsed(line: bytes) -> Link:
    try:
        found = orjson.loads(line)
        return Link(seq=found["seq"], previous=found["previous"], hash=found["hash"], record=AuditRecord.of(found["record"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("a line of the audit trail is no audit record; somebody has changed the file") from error
