"""A workload that outgrows its memory is ended near its cap, by whatever this machine has, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest

from miniplatform.agent.caps import Caps, Watched, choose
from miniplatform.agent.cgroups import V1, V2, Cgroups, Hierarchies, group_name, remove_groups
from miniplatform.agent.workload import Launcher, Process

pytestmark = pytest.mark.slow

EXAMPLES = str(Path(__file__).parents[2] / "examples")
MIB = 2**20
CAP = 64 * MIB
GROWS = "import time\nkept = []\nwhile True: kept.append(b'x' * 2**20); time.sleep(0.02)"  # 50 MiB/s
Start = Callable[..., Coroutine[Any, Any, Process]]


@pytest.fixture(params=["cgroup", "rss_watcher"])
def caps(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Caps]:
    """Each way to cap that this machine has."""
    chosen = choose(tmp_path, Hierarchies.mounted()) if request.param == "cgroup" else Watched()
    if request.param == "cgroup" and isinstance(chosen, Watched):
        pytest.skip("this machine lets nobody make control groups with a memory controller")
    yield chosen  # type: ignore[misc]  # a generator fixture
    remove_groups(tmp_path, Hierarchies.mounted())


@pytest.fixture
async def start(caps: Caps, tmp_path: Path) -> AsyncIterator[Start]:
    """Start a line of Python under a cap; whatever still runs afterwards is killed."""
    launcher = Launcher(tmp_path / "boots")
    started: list[Process] = []

    async def run(code: str, *, cap: Mapping[str, object] | None = None) -> Process:
        process = await launcher.start(
            "boot_1", ["python", "-c", code], {}, cap=cap or caps.confine("boot_1", CAP), record=lambda _: None,
            on_end=lambda: None,
        )  # fmt: skip
        started.append(process)
        return process

    yield run
    for process in started:
        process.signal(signal.SIGKILL)
        assert await process.wait(5)


async def told(process: Process, wanted: str) -> None:
    """Wait until the workload has written ``wanted``."""
    async with asyncio.timeout(20):
        while wanted not in (process.directory / "stdout").read_text():
            await asyncio.sleep(0.01)


async def test_a_workload_that_grows_is_ended_near_its_cap_and_the_end_says_so(caps: Caps, start: Start) -> None:
    """At 50 MiB/s it is killed; the peak is at most 2 MiB above the cap and at least nine tenths of it."""
    process = await start(GROWS)

    assert await process.wait(20)
    last = caps.last_figures("boot_1", process.ending(), CAP)
    assert process.ending().exit_code == -signal.SIGKILL
    assert last.oom_kills
    assert last.memory_limit_bytes == CAP
    assert 0.9 * CAP <= (last.memory_peak_bytes or 0) <= CAP + 2 * MIB


async def test_mutant_a_cap_that_is_not_applied_is_found(caps: Caps, start: Start) -> None:
    """With nothing joined and nothing watched the workload passes its cap: the check above would fail."""
    caps.confine("boot_1", CAP)
    process = await start(GROWS, cap={"join": [], "oom_kills": "", "watch_bytes": 0})
    async with asyncio.timeout(20):
        while (held := Watched().figures("boot_1", process.init.pid, CAP)) and (held.memory_usage_bytes or 0) < CAP + 4 * MIB:
            await asyncio.sleep(0.01)

    assert not process.has_ended
    assert not caps.last_figures("boot_1", process.ending(), CAP).oom_kills


async def test_all_of_a_workload_ends_when_a_part_of_it_outgrows_the_cap(start: Start) -> None:
    """An instance is one machine: it does not live on without the worker that was killed."""
    process = await start(
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {GROWS!r}])\nwhile True: time.sleep(1)"
    )
    assert await process.wait(20)
    assert process.ending().exit_code == -signal.SIGKILL


async def test_pages_that_workers_share_count_once(caps: Caps, start: Start) -> None:
    """Four forked workers over one block of 40 MiB are within a cap of 64 MiB, and so is a burst of short commands."""
    process = await start(
        "import os, subprocess, time\nblock = b'x' * (40 * 2**20)\n"
        "for _ in range(4):\n    if os.fork() == 0: time.sleep(60); os._exit(0)\n"
        "for _ in range(50): subprocess.run(['true'])\n"
        "time.sleep(0.5); print('fine', flush=True); time.sleep(60)"
    )
    await told(process, "fine")

    assert not process.has_ended
    found = caps.figures("boot_1", process.init.pid, CAP)
    assert found is not None
    assert 40 * MIB < (found.memory_usage_bytes or 0) < CAP


async def test_a_released_boot_leaves_no_group_and_nobody_in_it(caps: Caps, start: Start, tmp_path: Path) -> None:
    """Even a workload that lost its guest init, and moved out of reach of it, is ended with its group."""
    process = await start(
        "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True); print('up', flush=True)\n"
        "import time; time.sleep(60)"
    )
    await told(process, "up")
    process.signal(signal.SIGKILL)
    assert await process.wait(5)

    caps.release("boot_1")

    assert groups(tmp_path) == []


async def test_leftovers_are_recognisable_and_go_with_the_next_agent(tmp_path: Path, caps: Caps) -> None:
    """An agent that starts removes the groups of boots it does not know; ``remove_groups`` removes all of its home's."""
    for boot_id in ("boot_1", "boot_2"):
        caps.confine(boot_id, CAP)
    caps.clear(keep={"boot_2"})
    left = {group.name for group in groups(tmp_path)}
    assert left == (set() if isinstance(caps, Watched) else {"boot_2"})

    remove_groups(tmp_path, Hierarchies.mounted())

    assert groups(tmp_path) == []
    assert [root for root in Hierarchies.mounted().all() if (root / group_name(tmp_path)).exists()] == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody without privileges")
def test_an_agent_without_privileges_watches() -> None:
    """Where no control group can be made the choice falls on the watcher, and nothing is left of the attempt."""
    code = (
        "import os, pathlib; from miniplatform.agent.caps import choose; from miniplatform.agent.cgroups import Hierarchies;"
        " os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        " print(choose(pathlib.Path('/nonexistent/agent-1'), Hierarchies.mounted()).decided_by)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": EXAMPLES}, text=True, capture_output=True, check=False
    )
    assert (done.stdout, done.stderr) == ("rss_watcher\n", "")
    left = [root / group_name(Path("/nonexistent/agent-1")) for root in Hierarchies.mounted().all()]
    assert [group for group in left if group.exists()] == []


@pytest.mark.parametrize("version", [V1, V2], ids=lambda version: version.name)
def test_a_host_without_that_version_refuses_it(version: Any, tmp_path: Path) -> None:
    """Each version raises OSError where it is not mounted, and ``choose`` goes on to the next."""
    with pytest.raises(OSError, match="not mounted"):
        Cgroups(version, Hierarchies(), tmp_path)
    assert choose(tmp_path, Hierarchies()).decided_by == "rss_watcher"


def test_version_2_is_told_what_a_cap_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Controllers are handed down; cap, no swap, and all of a group killed together; the workload joins one group."""
    monkeypatch.setattr("miniplatform.agent.cgroups._PAUSE_S", 0.0)
    caps = Cgroups(V2, Hierarchies(unified=tmp_path), tmp_path / "agent-1")
    asked = caps.confine("boot_1", CAP)

    [node] = tmp_path.glob("miniplatform-agent-1-*")
    assert asked == {
        "join": [str(node / "boot_1" / "cgroup.procs")], "oom_kills": str(node / "boot_1" / "memory.events"), "watch_bytes": 0,
    }  # fmt: skip
    written = {path.name: path.read_text() for path in (node / "boot_1").iterdir()}
    assert written == {"memory.max": str(CAP), "memory.swap.max": "0", "memory.oom.group": "1"}
    assert (node / "cgroup.subtree_control").exists()
    assert (tmp_path / "cgroup.subtree_control").exists()


def test_mounts_are_read_by_controller(tmp_path: Path) -> None:
    """A host of version 1 may mount controllers together; one of version 2 has a single hierarchy."""
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nsdelegate 0 0\ncgroup /c/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0\n"
        "cgroup /c/memory cgroup rw,memory 0 0\nproc /proc proc rw 0 0\n"
    )
    found = Hierarchies.mounted(mounts)
    assert found.all() == [Path("/sys/fs/cgroup/unified"), Path("/c/memory"), Path("/c/cpu,cpuacct")]


def groups(home: Path) -> list[Path]:
    """The groups of one home's boots."""
    found = (root.glob(f"{group_name(home)}/*") for root in Hierarchies.mounted().all())
    return [path for paths in found for path in paths if path.is_dir()]
