"""Workloads as real processes: started under a guest init, found again by a later agent, and ended.

A process is known by its pid *and* the moment it started, and signalled only through a descriptor that was
checked against both, so that a pid the kernel has given to somebody else is never touched.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miniplatform import guest_init
from obslib.errors import ErrorClass

__all__ = ["ADDRESS", "Ending", "Launcher", "Process", "ProcessId", "StartFailed", "free_port", "identify", "read_ending"]

ADDRESS = "127.0.0.1"
CONSOLE_KEEP_BYTES = 8 * 2**20
_ANSWER_TIMEOUT_S = 30.0
_KILL_TIMEOUT_S = 2.0
_EXAMPLES = Path(__file__).parents[2]


class StartFailed(Exception):
    """The workload could not be started; the message says why and holds no arguments or environment."""

    reason = "firecracker_start_failed"
    error_class = ErrorClass.DEPENDENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessId:
    """A process for as long as the machine is up: the pid, and when it started (machine boot and clock ticks)."""

    pid: int
    started: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a workload ended. ``exit_code`` is negative for a signal and ``None`` when nobody could learn it.

    The memory figures are there where the guest init watched over the cap.
    """

    exit_code: int | None
    detail: str
    memory_cap_exceeded: bool | None = None
    memory_peak_bytes: int | None = None


def identify(pid: int) -> ProcessId | None:
    """Who has ``pid`` now; ``None`` when nobody has, or a process that has already ended (a zombie)."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if after_name[0] in "ZX":
        return None
    machine = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ProcessId(pid=pid, started=f"{machine}:{after_name[19]}")


def free_port() -> int:
    """A TCP port nobody listens on now; a workload that loses it to somebody fails and is given another."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """One guest init and the workload in it; follows the end of both without being their parent."""

    def __init__(self, init: ProcessId, directory: Path, descriptor: int, on_end: Callable[[], None]) -> None:
        self.init = init
        self.directory = directory
        self._descriptor = descriptor
        self._on_end = on_end
        self._own_status: int | None = None
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._end)

    @staticmethod
    def adopt(init: ProcessId, directory: Path, on_end: Callable[[], None]) -> Process | None:
        """Take over a running process; ``None`` when it has ended, or its pid belongs to somebody else now."""
        try:
            descriptor = os.pidfd_open(init.pid)
        except ProcessLookupError:
            return None
        if identify(init.pid) != init:
            os.close(descriptor)
            return None
        return Process(init, directory, descriptor, on_end)

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone; ``ending()`` is settled then."""
        return self._ended.is_set()

    def workload_pid(self) -> int | None:
        """The pid of the workload itself, ``None`` once it has ended."""
        with suppress(OSError):
            children = Path(f"/proc/{self.init.pid}/task/{self.init.pid}/children").read_text().split()
            return int(children[0]) if children and not self.has_ended else None
        return None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this very process, or to nobody."""
        if not self.has_ended:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the end; returns whether it came in time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), timeout_s)
        return self.has_ended

    async def stop(self, grace_s: float) -> None:
        """Ask the workload to end, kill it after ``grace_s``, and see it gone."""
        for number, patience_s in (
            (signal.SIGTERM, grace_s),
            (signal.SIGUSR1, _KILL_TIMEOUT_S),
            (signal.SIGKILL, _KILL_TIMEOUT_S),
        ):
            self.signal(number)
            if await self.wait(patience_s):
                return

    def ending(self) -> Ending:
        """How it ended, from what the guest init left behind."""
        return read_ending(self.directory, self._own_status)

    def release(self) -> None:
        """Stop following the process; it runs on."""
        if not self.has_ended:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _end(self) -> None:
        self.release()
        self._own_status = _reap(self.init.pid)
        self._ended.set()
        self._on_end()


def _reap(pid: int) -> int | None:
    """The exit status of an ended child; ``None`` for a process that is not ours."""
    with suppress(ChildProcessError):
        reaped, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if reaped else None
    return None


def read_ending(directory: Path, init_status: int | None = None) -> Ending:
    """What is known about the end of the workload that ran in ``directory``."""
    code: int | None = None
    left: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        left = json.loads((directory / "exit.json").read_text())
        if left["error"]:
            return Ending(exit_code=None, detail=f"could not be started: {left['error']}")
        code = int(left["exit_code"])
    if code is None and init_status is not None and init_status < 0:
        code = init_status
    if code is None:
        return Ending(exit_code=None, detail="ended without leaving an exit status")
    return Ending(
        exit_code=code,
        detail=f"killed by signal {-code}" if code < 0 else f"exited with code {code}",
        memory_cap_exceeded=left.get("memory_cap_exceeded"),
        memory_peak_bytes=left.get("memory_peak_bytes"),
    )


class Launcher:
    """Starts workloads as ordinary processes; needs no KVM."""

    kvm_device: str | None = None

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def directory(self, boot_id: str) -> Path:
        """Where a boot keeps its console, its exit status and its scratch space."""
        return self._directory / boot_id

    def clear(self, *, keep: set[str]) -> None:
        """Delete what boots outside ``keep`` left behind."""
        for directory in self._directory.iterdir() if self._directory.exists() else ():
            if directory.name not in keep:
                shutil.rmtree(directory, ignore_errors=True)

    async def start(
        self,
        boot_id: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        cap: Mapping[str, object],
        record: Callable[[ProcessId], None],
        on_end: Callable[[], None],
    ) -> Process:
        """Start a workload; ``record`` must make the process durable, nothing runs before it has returned.

        ``cap`` is how its memory is capped (``Caps.confine``). Raises StartFailed when the command cannot be run.
        """
        directory = self.directory(boot_id)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            try:
                init = self._spawn(directory, command, environment, cap, theirs)
            except (OSError, ValueError) as error:
                raise StartFailed(f"could not be started: {getattr(error, 'strerror', None) or error}") from error
            theirs.close()
            process = Process.adopt(init, directory, on_end)
            if process is None:
                _reap(init.pid)
                raise StartFailed("could not be started: the guest init ended at once")
            record(init)
            await _hand_over(ours, process)
        return process

    def _spawn(
        self,
        directory: Path,
        command: Sequence[str],
        environment: Mapping[str, str],
        cap: Mapping[str, object],
        theirs: socket.socket,
    ) -> ProcessId:
        if not command or not command[0]:
            raise ValueError("the command is empty")
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / "scratch").mkdir(parents=True, exist_ok=True)
        words = [sys.executable if command[0] == "python" else command[0], *command[1:]]
        init = [str(guest_init.__file__), str(directory), str(CONSOLE_KEEP_BYTES), json.dumps(cap)]
        consoles = [os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for name in ("stdout", "stderr")]
        try:
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", *init, *words],
                {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(_EXAMPLES), **environment},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, source, target)
                    for target, source in enumerate((theirs.fileno(), *consoles))
                ],
                setsid=True,
            )  # fmt: skip
        finally:
            for console in consoles:
                os.close(console)
        return identify(pid) or ProcessId(pid=pid, started="")


async def _hand_over(ours: socket.socket, process: Process) -> None:
    loop = asyncio.get_running_loop()
    answer = b""
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            await loop.sock_sendall(ours, b"\n")
            while not answer.endswith(b"\n"):
                received = await loop.sock_recv(ours, 1024)
                if not received:
                    break
                answer += received
    except (OSError, TimeoutError):
        answer = b""
    if answer != b"\n":
        if not await process.wait(_KILL_TIMEOUT_S):
            process.signal(signal.SIGKILL)
        raise StartFailed(f"could not be started: {answer.decode(errors='replace').strip() or 'the guest init gave no answer'}")
