"""The stand-in for the guest's init: the one parent a workload keeps while agents come and go.

Run by the agent as ``python -I -S guest_init.py DIRECTORY KEEP_BYTES COMMAND...`` in a session of its own,
with the workload's environment, descriptor 0 a socket to the agent, and 1 and 2 the console files. It

- starts nothing before the agent has written down who it is (one byte on the socket; end of file means
  the agent died first), and answers with an empty line or with why the command could not be run;
- forwards SIGTERM to the workload, and kills it on SIGUSR1;
- takes the workload with it if it is killed itself, and whatever the workload left behind when that ends;
- writes how the workload ended to ``DIRECTORY/exit.json`` before it exits, so that an agent that was
  killed in the meantime can still learn it;
- keeps between KEEP_BYTES and twice that of each console on disk by giving the oldest part back to the
  file system. Offsets stay true: what was given back is a hole.

Nothing outside the standard library, because this process exists once per instance.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PUNCH_HOLE_KEEP_SIZE = 3
_BLOCK = 4096
_TRIM_EVERY_S = 1.0
_AWAITED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1}
_libc = ctypes.CDLL(None)


def main(directory: str, keep_bytes: int, command: list[str]) -> None:
    """Start the workload once the agent says so, stay until it ends, and leave its exit status behind."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    agent = os.dup(0)
    if not os.read(agent, 1):
        return
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    workload, error = _start(os.path.join(directory, "scratch"), command)
    _tell(agent, error)
    exit_code = _outlast(workload, keep_bytes)
    _leave(directory, {"exit_code": None if error else exit_code, "error": error})


def _start(scratch: str, command: list[str]) -> tuple[int, str]:
    """Fork and exec; the error is empty once the command runs (the pipe closes on exec)."""
    own_pid = os.getpid()
    reading, writing = os.pipe()
    workload = os.fork()
    if workload == 0:
        try:
            os.setpgid(0, 0)
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == own_pid:
                for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
                    signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_SETMASK, ())
                os.chdir(scratch)
                os.execvp(command[0], command)
        except (OSError, ValueError) as error:
            os.write(writing, f"{command[0]!r}: {getattr(error, 'strerror', None) or error}".encode()[:512])
        os._exit(127)
    os.close(writing)
    why_not = os.read(reading, 512).decode(errors="replace")
    os.close(reading)
    return workload, why_not


def _outlast(workload: int, keep_bytes: int) -> int:
    """Forward signals until the workload has ended; returns its exit code, negative for a signal."""
    while True:
        received = signal.sigtimedwait(_AWAITED, _TRIM_EVERY_S)
        if received is None:
            _trim(keep_bytes)
        elif received.si_signo == signal.SIGCHLD:
            ended = _reap()
            if workload in ended:
                _end_remains(workload)
                return ended[workload]
        else:
            _signal_group(workload, signal.SIGTERM if received.si_signo == signal.SIGTERM else signal.SIGKILL)


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
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
