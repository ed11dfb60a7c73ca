"""The embedded store: one SQLite file per org in a directory of one process, worked on by a few threads.

An entry is durable when ``append`` returns: WAL with ``synchronous=FULL``. A file that turns out to be broken is
replaced by what can still be read of it, on the spot and for that org alone; what is missing then shows as holes in the
numbers of its boots.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from obslib.access import Grant, Scope
from obslib.clock import Clock, SystemClock
from obslib.errors import ErrorClass, LimitExceeded, StoreUnavailable
from obslib.ids import is_id
from obslib.ownership import Ownership
from obslib.workload.layout import FILE_ERRORS, is_damage
from obslib.workload.org_file import OrgFile, TooSlow
from obslib.workload.salvage import prepare, salvage
from obslib.workload.selection import Selection, require_whole
from obslib.workload.stored import Appended, Page, StampedEntry

__all__ = ["Damage", "SqliteLogStore"]

T = TypeVar("T")
_PAGE_BYTES = 1_048_576
_CHECKED_AT_ONCE = 67_108_864
"""A larger file is looked through by the next purge, and not while a reader waits."""
_SUFFIX = ".sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Something in an org's file was not what had been written. ``lines``: how many are known to be lost."""

    org_id: str
    kind: Literal["file", "record"]
    lines: int
    detail: str


class SqliteLogStore:
    """A LogStore in ``directory``, which it makes and owns; raises SettingsError when it cannot be had.

    At most ``most_open`` files are open at a time. ``on_damage`` hears of every damage found, from a worker thread.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock | None = None,
        on_damage: Callable[[Damage], None] = lambda damage: None,
        most_open: int = 32,
        threads: int = 4,
    ) -> None:
        self._ownership = Ownership(directory, what="workload logs")
        self._directory = directory
        self._clock = clock or SystemClock()
        self._on_damage = on_damage
        self._most_open = max(most_open, threads)
        self._files: OrderedDict[str, OrgFile] = OrderedDict()
        self._doors: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="workload-logs")
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}
        self._newest: dict[str, int] = {}
        self._bells: dict[str, asyncio.Event] = {}
        self._whole: set[str] = set()
        self._is_closed = False

    async def append(self, org_id: str, entries: Sequence[StampedEntry]) -> Appended:
        """Keep ``entries``; see LogStore."""
        self._path(org_id)
        if any(stamped.stamp.org_id != org_id for stamped in entries):
            raise ValueError(f"an entry is stamped with another org than {org_id!r}; append each org's entries by themselves")
        if not entries:
            return Appended((), 0)
        now = round(self._clock.now() * 1e6)

        appended, self._newest[org_id] = await self._on(org_id, "write", lambda file: file.append(entries, now))
        if (bell := self._bells.pop(org_id, None)) is not None:
            bell.set()
        return appended

    async def query(self, grant: Grant, selection: Selection) -> Page:
        """The newest that match; see LogStore."""
        return await self._read(grant, lambda file: file.query(selection)) or Page(())

    async def read_after(self, grant: Grant, selection: Selection, position: int, *, limit: int) -> Page:
        """What arrived since; see LogStore. A page holds at most 1 MiB of lines, however many were asked for."""
        require_whole("position", position, least=0)
        require_whole("limit", limit, least=1)
        found = await self._read(grant, lambda file: file.read_after(selection, position, limit, _PAGE_BYTES))
        return found or Page((), position)

    async def position(self, grant: Grant) -> int:
        """Where the org's newest entry stands; see LogStore."""
        return await self._read(grant, OrgFile.position) or 0

    async def wait(self, grant: Grant, position: int, *, timeout_s: float) -> None:
        """Return when something may have arrived; see LogStore."""
        org_id = grant.require(Scope.LOGS_READ)
        if self._newest.get(org_id, 0) > position:
            return
        bell = self._bells.setdefault(org_id, asyncio.Event())
        try:
            async with asyncio.timeout(timeout_s):
                await bell.wait()
        except TimeoutError:
            return

    async def purge(self, before: float) -> int:
        """Forget what is old, org by org; a file that cannot be purged is told when the others have been."""
        gone, failure = 0, None

        def forget(file: OrgFile) -> int:
            self._check(file)
            return file.purge(round(before * 1e6))

        for path in sorted(self._directory.glob(f"*{_SUFFIX}")):
            try:
                gone += await self._on(path.name.removesuffix(_SUFFIX), "write", forget)
            except StoreUnavailable as error:
                failure = error
        if failure is not None:
            raise failure
        return gone

    async def close(self) -> None:
        """Finish what is under way; see LogStore."""
        if not self._is_closed:
            self._is_closed = True
            await asyncio.to_thread(self._shut)

    # --- inside ---------------------------------------------------------------------------------

    async def _read(self, grant: Grant, work: Callable[[OrgFile], T]) -> T | None:
        org_id = grant.require(Scope.LOGS_READ)
        if not self._path(org_id).exists():
            return None
        return await self._on(org_id, "read", work)

    async def _on(self, org_id: str, kind: str, work: Callable[[OrgFile], T]) -> T:
        """Do ``work`` on the org's file in a thread, one reading and one writing at a time, whoever else waits."""
        if self._is_closed:
            raise StoreUnavailable("the store of workload logs is closed")
        async with self._turns.setdefault((org_id, kind), asyncio.Lock()):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._attempt, org_id, work)

    def _attempt(self, org_id: str, work: Callable[[OrgFile], T]) -> T:
        for is_last in (False, True):
            file: OrgFile | None = None
            try:
                file = self._borrow(org_id)
                return work(file)
            except TooSlow as error:
                message = f"{error}; ask for less time, or leave the text filter out"
                raise LimitExceeded(message, limit="query_time", error_class=ErrorClass.TIMEOUT) from None
            except (*FILE_ERRORS, OSError) as error:
                is_replaced = isinstance(error, sqlite3.ProgrammingError)  # closed by whoever mended it meanwhile
                is_broken = is_damage(error)
                if is_last or not (is_replaced or is_broken):
                    raise StoreUnavailable(f"the workload logs cannot be used at the moment: {error}") from error
                if is_broken:
                    self._mend(org_id, file, str(error))
            finally:
                if file is not None:
                    self._give_back(file)
        raise AssertionError("unreachable")

    def _borrow(self, org_id: str) -> OrgFile:
        """The org's file, opened when it is not; the longest idle ones make room."""
        with self._door(org_id):
            file = self._files.get(org_id)
            if file is None:
                file = self._opened(org_id)
            with self._lock:
                file.users += 1
                self._files[org_id] = file
                self._files.move_to_end(org_id)
                idle = [name for name, other in self._files.items() if not other.users]
                surplus = [self._files.pop(name) for name in idle[: max(0, len(self._files) - self._most_open)]]
        for other in surplus:
            other.close()
        return file

    def _opened(self, org_id: str) -> OrgFile:
        path = self._path(org_id)
        prepare(path)
        file = OrgFile(path, org_id)
        if path.stat().st_size <= _CHECKED_AT_ONCE:
            self._check(file)
        return file

    def _check(self, file: OrgFile) -> None:
        """Look through a file that this process has not looked through yet."""
        if file.org_id in self._whole:
            return
        try:
            file.check()
        except BaseException:
            file.close()
            raise
        self._whole.add(file.org_id)

    def _give_back(self, file: OrgFile) -> None:
        with self._lock:
            file.users -= 1
            found, file.damaged_rows = file.damaged_rows, 0
        if found:
            detail = "a record is not what was written"
            self._on_damage(Damage(org_id=file.org_id, kind="record", lines=found, detail=detail))

    def _mend(self, org_id: str, broken: OrgFile | None, why: str) -> None:
        """Replace the org's broken file (``None``: it did not open), unless somebody has done so since."""
        with self._door(org_id):
            if self._files.get(org_id) is not broken:
                return
            if broken is not None:
                with self._lock:
                    del self._files[org_id]
                broken.close()
            salvaged = salvage(self._path(org_id), org_id)
        detail = f"{why}; {salvaged.kept} records were kept, the broken file is {salvaged.aside.name}"
        self._on_damage(Damage(org_id=org_id, kind="file", lines=salvaged.lost, detail=detail))

    def _door(self, org_id: str) -> threading.Lock:
        with self._lock:
            return self._doors.setdefault(org_id, threading.Lock())

    def _path(self, org_id: str) -> Path:
        if not is_id(org_id, "org"):
            raise ValueError(f"{org_id!r} is not the id of an org")
        return self._directory / f"{org_id}{_SUFFIX}"

    def _shut(self) -> None:
        self._threads.shutdown(wait=True)
        with self._lock:
            files, self._files = list(self._files.values()), OrderedDict()
        for file in files:
            file.close()
        self._ownership.release()
