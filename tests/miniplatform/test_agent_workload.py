"""Workloads are started once, found again by a later agent, and nobody else's process is ever touched."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from miniplatform.agent import workload
from miniplatform.agent.workload import Ending, Launcher, Process, ProcessId, StartFailed, identify

ENVIRONMENT = {"PORT": "1", "INSTANCE_ID": "inst_1"}
CAP = {"join": [], "oom_kills": "", "watch_bytes": 0}
Start = Callable[..., Coroutine[Any, Any, Process]]


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    """A launcher with nothing started."""
    return Launcher(tmp_path / "boots")


@pytest.fixture
async def start(launcher: Launcher) -> AsyncIterator[Start]:
    """Start a workload from a line of Python; every one still there afterwards is killed."""
    started: list[Process] = []

    async def run(code: str, boot_id: str = "boot_1", **options: Any) -> Process:
        options = {"record": lambda _: None, "cap": CAP, **options}
        process = await launcher.start(boot_id, ["python", "-c", code], ENVIRONMENT, on_end=lambda: None, **options)
        started.append(process)
        return process

    yield run
    for process in started:
        process.signal(signal.SIGKILL)
        assert await process.wait(5)


async def console(process: Process, wanted: str) -> None:
    """Wait until the workload has written ``wanted``."""
    async with asyncio.timeout(5):
        while wanted not in (process.directory / "stdout").read_text():
            await asyncio.sleep(0.01)


async def test_a_workload_runs_in_a_clean_environment_and_its_exit_status_is_learnt(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workload sees what the platform gives it and nothing of the agent's own environment."""
    monkeypatch.setenv("AGENT_TOKEN", "do not leak")
    process = await start("import os; print(sorted(os.environ)); print(os.getcwd()); raise SystemExit(3)")

    assert await process.wait(5)
    assert process.ending() == Ending(exit_code=3, detail="exited with code 3")
    names, directory = (process.directory / "stdout").read_text().splitlines()
    assert set(eval(names)) - {"LC_CTYPE"} == {"INSTANCE_ID", "PATH", "PORT", "PYTHONPATH"}
    assert directory == str(process.directory / "scratch")


async def test_a_signal_is_reported_as_a_negative_exit_code(start: Start) -> None:
    """A workload killed from outside is known to have been killed, and by which signal."""
    process = await start("import time; time.sleep(60)")
    pid = process.workload_pid()
    assert pid is not None

    os.kill(pid, signal.SIGKILL)

    assert await process.wait(5)
    assert process.ending() == Ending(exit_code=-9, detail="killed by signal 9")
    assert process.workload_pid() is None


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["no-such-command"], "could not be started: 'no-such-command': No such file or directory"),
        (["/etc/passwd"], "could not be started: '/etc/passwd': Permission denied"),
        ([], "could not be started: the command is empty"),
        (["sh", "\0"], "could not be started: embedded null byte"),
    ],
)
async def test_a_command_that_cannot_run_is_a_failed_start(launcher: Launcher, command: list[str], sentence: str) -> None:
    """A command that cannot be run raises StartFailed with one sentence and leaves no process behind."""
    seen: list[ProcessId] = []
    with pytest.raises(StartFailed) as refused:
        await launcher.start("boot_1", command, ENVIRONMENT, cap=CAP, record=seen.append, on_end=lambda: None)

    assert str(refused.value) == sentence
    assert all(identify(process.pid) != process for process in seen)


async def test_nothing_runs_before_the_process_is_recorded(start: Start, launcher: Launcher) -> None:
    """An agent that dies before it has written down a process leaves no workload that nobody knows of."""
    seen: list[ProcessId] = []

    def dies(process: ProcessId) -> None:
        seen.append(process)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await start("print('ran')", record=dies)

    async with asyncio.timeout(5):
        while identify(seen[0].pid) == seen[0]:
            await asyncio.sleep(0.01)
    assert (launcher.directory("boot_1") / "stdout").read_bytes() == b""


async def test_stop_asks_first_and_kills_after_the_grace(start: Start) -> None:
    """SIGTERM reaches the workload; one that ignores it is killed when the grace is over."""
    polite = await start(
        "import signal,sys; signal.signal(15, lambda *_: sys.exit(0)); print('up', flush=True); signal.pause()", "boot_1"
    )
    stubborn = await start(
        "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()", "boot_2"
    )
    await console(polite, "up")
    await console(stubborn, "up")

    await polite.stop(5)
    await stubborn.stop(0.1)

    assert polite.ending() == Ending(exit_code=0, detail="exited with code 0")
    assert stubborn.ending() == Ending(exit_code=-9, detail="killed by signal 9")


async def test_what_a_workload_leaves_behind_ends_with_it(start: Start) -> None:
    """Children of a workload do not outlive it, not even those that moved into a session of their own."""
    process = await start(
        "import subprocess as s\n"
        "a = s.Popen(['sleep', '60']); b = s.Popen(['sleep', '60'], start_new_session=True)\n"
        "print(a.pid, b.pid, flush=True)"
    )
    assert await process.wait(5)

    assert process.ending().exit_code == 0
    left = [int(word) for word in (process.directory / "stdout").read_text().split()]
    assert [identify(pid) for pid in left] == [None, None]


async def test_a_workload_dies_with_its_guest_init(start: Start) -> None:
    """A machine that is killed takes the workload with it."""
    process = await start("import time; print('up', flush=True); time.sleep(60)")
    await console(process, "up")
    pid = process.workload_pid()
    assert pid is not None

    process.signal(signal.SIGKILL)

    assert await process.wait(5)
    async with asyncio.timeout(5):
        while identify(pid) is not None:
            await asyncio.sleep(0.01)
    assert process.ending() == Ending(exit_code=-9, detail="killed by signal 9")


async def test_a_running_process_is_adopted_and_its_exit_status_learnt_without_being_its_parent(start: Start) -> None:
    """A second agent follows what the first one started."""
    process = await start("import time; time.sleep(0.2); raise SystemExit(7)")
    ended = asyncio.Event()

    adopted = Process.adopt(process.init, process.directory, ended.set)

    assert adopted is not None
    async with asyncio.timeout(5):
        await ended.wait()
    assert adopted.ending() == Ending(exit_code=7, detail="exited with code 7")
    assert Process.adopt(process.init, process.directory, ended.set) is None


def pid_with_another_history() -> ProcessId:
    """The test's own process, as if its pid had been given to it after another one ended."""
    own = identify(os.getpid())
    assert own is not None
    return ProcessId(pid=own.pid, started=own.started + "0")


async def test_a_pid_that_was_given_to_somebody_else_is_not_adopted(tmp_path: Path) -> None:
    """A process is adopted only when it started when the recorded one did, so a reused pid is never signalled."""
    assert Process.adopt(pid_with_another_history(), tmp_path, lambda: None) is None


async def test_mutant_an_agent_that_trusts_the_pid_alone_adopts_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the look at the start time, the check above would fail: the stranger would be adopted."""
    recorded = pid_with_another_history()
    monkeypatch.setattr(workload, "identify", lambda pid: recorded)

    stranger = Process.adopt(recorded, tmp_path, lambda: None)

    assert stranger is not None
    stranger.release()


def test_identify_knows_zombies_and_the_missing() -> None:
    """A process that has ended is nobody, even while its parent has not asked for its status."""
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert identify(child) is None
    os.waitpid(child, 0)
    assert identify(child) is None
