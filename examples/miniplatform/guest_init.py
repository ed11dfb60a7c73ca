"""The stand-in for the guest's init: the one parent a workload keeps while agents come and go.

Run by the agent as ``python -I -S guest_init.py DIRECTORY KEEP_BYTES CAP COMMAND...`` in a session of its
own, with the workload's environment, descriptor 0 a socket to the agent, and 1 and 2 the console files. It

- starts nothing before the agent has written down who it is (one byte on the socket; end of file means
  the agent died first), and answers with an empty line or with why the command could not be run;
- forwards SIGTERM to the workload, and kills it on SIGUSR1;
- takes the workload with it if it is killed itself, and whatever the workload left behind when that ends;
- puts the workload, and not itself, under its memory cap, and ends all of it when the cap was exceeded;
- writes how the workload ended to ``DIRECTORY/exit.json`` before it exits, so that an agent that was
  killed in the meantime can still learn it;
- keeps between KEEP_BYTES and twice that of each console on disk by giving the oldest part back to the
  file system. Offsets stay true: what was given back is a hole.

CAP is JSON: ``join`` lists the files that take the workload into its control groups, ``oom_kills`` is the
file in which the kernel counts those it killed there. Where there is no such group ``watch_bytes`` is a cap that
this process enforces itself, 0 otherwise. That watcher counts what only the workload holds, resident or swapped out,
and looks the more often the less is left. A workload that grows 50 MiB/s is ended within 2 MiB of its cap; one that
grows faster than 500 MiB/s may be seen late, by what it takes in one look more, and the page cache does not count.

Nothing outside the standard library, because this process exists once per instance.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PUNCH_HOLE_KEEP_SIZE = 3
_BLOCK = 4096
_TRIM_EVERY_S = 1.0
_LOOK_EVERY_S = (0.02, 0.25)
_AGAIN_AFTER_S = 0.005
_FASTEST_GROWTH = 500 * 2**20
_FIELDS = {"status": (b"RssAnon:", b"RssShmem:", b"VmSwap:"), "smaps_rollup": (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")}
_AWAITED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1}
_libc = ctypes.CDLL(None)


def main(directory: str, keep_bytes: int, cap: Cap, command: list[str]) -> None:
    """Start the workload once the agent says so, stay until it ends, and leave its exit status behind."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    agent = os.dup(0)
    if not os.read(agent, 1):
        return
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    workload, error = _start(os.path.join(directory, "scratch"), cap.join, command)
    _tell(agent, error)
    exit_code = _outlast(workload, keep_bytes, cap)
    _leave(directory, {"exit_code": None if error else exit_code, "error": error, **cap.findings()})


def memory_of(parent: int, sufficient: int = 0) -> int:
    """Bytes that the descendants of ``parent`` hold, resident or swapped out, without what files can give back.

    The quick sum counts pages shared after a fork once for each process; only where it passes ``sufficient`` are they
    counted truly, which costs the kernel a walk over the page tables.
    """
    found = _descendants(parent)
    quick = sum(_held(pid, "status") for pid in found)
    if quick <= sufficient:
        return quick
    return min(quick, sum(_held(pid, "smaps_rollup") or _held(pid, "status") for pid in found))


def _descendants(parent: int) -> list[int]:
    found: list[int] = []
    ahead = [parent]
    while ahead:
        tasks = f"/proc/{ahead.pop()}/task"
        with contextlib.suppress(OSError):
            for thread in os.listdir(tasks):
                with contextlib.suppress(OSError), open(f"{tasks}/{thread}/children") as listed:
                    children = [int(child) for child in listed.read().split()]
                    found += children
                    ahead += children
    return found


def _held(pid: int, file: str) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{file}", "rb") as lines:
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(_FIELDS[file]))
    return 0


class Cap:
    """The workload's memory cap, and whether it was exceeded."""

    def __init__(self, *, join: list[str], oom_kills: str, watch_bytes: int) -> None:
        self.join = join
        self.pause_s = _LOOK_EVERY_S[0] if watch_bytes else _TRIM_EVERY_S
        self._oom_kills = oom_kills
        self._watch_bytes = watch_bytes
        self._peak_bytes = 0
        self._is_exceeded = False

    def is_exceeded(self) -> bool:
        """Look, and say after how many seconds to look again in ``pause_s``."""
        if self._oom_kills:
            self._is_exceeded = self._is_exceeded or _count(self._oom_kills) > 0
        if self._watch_bytes:
            held = memory_of(os.getpid(), self._watch_bytes)
            if held > self._watch_bytes:  # once more: between vfork and exec a child shows its parent's memory again
                time.sleep(_AGAIN_AFTER_S)
                held = min(held, memory_of(os.getpid(), self._watch_bytes))
            self._peak_bytes = max(self._peak_bytes, held)
            self._is_exceeded = self._is_exceeded or held > self._watch_bytes
            least, most = _LOOK_EVERY_S
            self.pause_s = min(most, max(least, (self._watch_bytes - held) / _FASTEST_GROWTH))
        return self._is_exceeded

    def findings(self) -> dict[str, object]:
        """What only the watcher knows; of a control group the agent asks the kernel."""
        if not self._watch_bytes:
            return {}
        return {"memory_cap_exceeded": self._is_exceeded, "memory_peak_bytes": self._peak_bytes}


def _count(oom_kills: str) -> int:
    with contextlib.suppress(OSError), open(oom_kills) as lines:
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
    return 0


def _start(scratch: str, join: list[str], command: list[str]) -> tuple[int, str]:
    """Fork and exec; the error is empty once the command runs (the pipe closes on exec)."""
    own_pid = os.getpid()
    reading, writing = os.pipe()
    workload = os.fork()
    if workload == 0:
        what = "memory cap"
        try:
            os.setpgid(0, 0)
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == own_pid:
                for group in join:
                    with open(group, "w") as members:
                        members.write("0")
                what = repr(command[0])
                for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
                    signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_SETMASK, ())
                os.chdir(scratch)
                os.execvp(command[0], command)
        except (OSError, ValueError) as error:
            os.write(writing, f"{what}: {getattr(error, 'strerror', None) or error}".encode()[:512])
        os._exit(127)
    os.close(writing)
    why_not = os.read(reading, 512).decode(errors="replace")
    os.close(reading)
    return workload, why_not


def _outlast(workload: int, keep_bytes: int, cap: Cap) -> int:
    """Forward signals until the workload has ended; returns its exit code, negative for a signal."""
    trim_at = look_at = time.monotonic()
    while True:
        received = signal.sigtimedwait(_AWAITED, max(0.0, min(trim_at, look_at) - time.monotonic()))
        number = received.si_signo if received else 0
        if number == signal.SIGCHLD:
            ended = _reap()
            if workload in ended:
                cap.is_exceeded()
                _end_remains(workload)
                return ended[workload]
        elif number:
            _signal_group(workload, signal.SIGTERM if number == signal.SIGTERM else signal.SIGKILL)
        now = time.monotonic()
        if now >= look_at:
            if cap.is_exceeded():
                _signal_group(workload, signal.SIGKILL)
            look_at = now + cap.pause_s
        if now >= trim_at:
            _trim(keep_bytes)
            trim_at = now + _TRIM_EVERY_S


def _reap() -> dict[int, int]:
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def _end_remains(workload: int) -> None:
    """Kill what the workload started and left: its group, and those who moved out of it and became ours."""
    _signal_group(workload, signal.SIGKILL)
    while True:
        with open(f"/proc/self/task/{os.getpid()}/children") as listed:
            for child in listed.read().split():
                os.kill(int(child), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _trim(keep_bytes: int) -> None:
    for console in (1, 2):
        status = os.fstat(console)
        if status.st_blocks * 512 > 2 * keep_bytes:
            surplus = (status.st_size - keep_bytes) // _BLOCK * _BLOCK
            _libc.fallocate(console, _PUNCH_HOLE_KEEP_SIZE, ctypes.c_long(0), ctypes.c_long(surplus))


def _tell(agent: int, error: str) -> None:
    with contextlib.suppress(OSError):  # the agent may be gone; the next one reads exit.json
        os.write(agent, error.encode() + b"\n")
    os.close(agent)


def _leave(directory: str, ending: dict[str, object]) -> None:
    draft = os.path.join(directory, "exit.json.new")
    with open(draft, "w") as file:
        json.dump(ending, file)
    os.replace(draft, os.path.join(directory, "exit.json"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Cap(**json.loads(sys.argv[3])), sys.argv[4:])
