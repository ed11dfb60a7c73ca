"""Control groups as memory caps: one group per boot, of version 2 or 1, made by the agent and joined by the workload.

All groups of a node are in one called ``miniplatform-<node>-<digest of its home>``, below the root of each hierarchy,
so that leftovers show whose they are; the next agent in that home removes them, and so does ``make down``. On a host
of version 1 a boot has a group in the processor's hierarchy too, and in the version 2 one that tells pressure.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from miniplatform.agent.workload import Ending, StartFailed
from obslib_agent import Cgroup, Figures

__all__ = ["V1", "V2", "Cgroups", "Hierarchies", "Version", "group_name", "remove_groups"]

_MOUNTS = Path("/proc/self/mounts")
_TRIES = 20
_PAUSE_S = 0.02
_PROBE_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """How a version spells a memory cap: files for the cap, the first of which must be there, and files beside it."""

    name: str
    cap: tuple[str, ...]
    also: Mapping[str, str]
    oom_kills: str


V2 = Version(
    name="cgroup_v2",
    cap=("memory.max",),
    also={"memory.swap.max": "0", "memory.oom.group": "1"},
    oom_kills="memory.events",
)
V1 = Version(
    name="cgroup_v1",
    cap=("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    also={"memory.swappiness": "0"},
    oom_kills="memory.oom_control",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchies:
    """Where a host has mounted what: the hierarchy of version 2, and those of version 1 by controller."""

    unified: Path | None = None
    controllers: Mapping[str, Path] = field(default_factory=dict)

    @staticmethod
    def mounted(mounts: Path = _MOUNTS) -> Hierarchies:
        """Those of this host, or of one whose mounts are listed in another file."""
        unified: Path | None = None
        controllers: dict[str, Path] = {}
        for words in (line.split() for line in mounts.read_text().splitlines()):
            if words[2] == "cgroup2":
                unified = unified or Path(words[1])
            elif words[2] == "cgroup":
                controllers.update(dict.fromkeys(words[3].split(","), Path(words[1])))
        return Hierarchies(unified=unified, controllers=controllers)

    def all(self) -> list[Path]:
        """Every hierarchy in which there may be groups of ours."""
        found = (self.unified, self.controllers.get("memory"), self.controllers.get("cpu"))
        return list(dict.fromkeys(path for path in found if path is not None))


class Cgroups:
    """The groups of one node, and caps by them; making this raises OSError where the host does not allow it."""

    def __init__(self, version: Version, hierarchies: Hierarchies, home: Path) -> None:
        self.decided_by = version.name
        self._version = version
        self._name = group_name(home)
        controllers = hierarchies.controllers
        if version is V2:
            self._parent = Cgroup.at(self._delegated(hierarchies.unified))
        else:
            self._parent = Cgroup(
                memory=self._made(controllers.get("memory")),
                cpu=self._if_allowed(controllers.get("cpu")),
                pressure=self._if_allowed(hierarchies.unified),
            )
        self._make("probe", _PROBE_BYTES)
        self.release("probe")

    def confine(self, boot_id: str, cap_bytes: int) -> Mapping[str, object]:
        """Make the boot's groups; returns what the guest init needs to take the workload into them."""
        try:
            group = self._make(boot_id, cap_bytes)
        except OSError as error:
            self.release(boot_id)
            raise StartFailed(f"cgroup_setup_failed: {error.strerror or error}") from error
        return {
            "join": [str(directory / "cgroup.procs") for directory in _directories(group)],
            "oom_kills": str(_inside(group.memory, self._version.oom_kills)),
            "watch_bytes": 0,
        }

    def figures(self, boot_id: str, init_pid: int, cap_bytes: int) -> Figures | None:
        """What the kernel says about a boot that runs; one that is being killed has given its memory back already."""
        group = self._group(boot_id)
        found = group.read()
        return None if found.oom_kills or not _members(group.memory) else found

    def last_figures(self, boot_id: str, ending: Ending, cap_bytes: int) -> Figures:
        """What the kernel still knows about a boot that ended: its peak and kills, but nothing it used last."""
        return self._group(boot_id).read()

    def release(self, boot_id: str) -> None:
        """Remove the boot's groups and end whoever is still in them; takes a moment, at worst about a second."""
        for directory in _directories(self._group(boot_id)):
            _remove(directory)

    def clear(self, *, keep: set[str]) -> None:
        """Remove the groups of every other boot."""
        for parent in _directories(self._parent):
            _remove_below(parent, keep)

    def _group(self, boot_id: str) -> Cgroup:
        memory, cpu, pressure = (
            parent and parent / boot_id for parent in (self._parent.memory, self._parent.cpu, self._parent.pressure)
        )
        return Cgroup(memory=memory, cpu=cpu, pressure=pressure)

    def _make(self, boot_id: str, cap_bytes: int) -> Cgroup:
        group = self._group(boot_id)
        for directory in _directories(group):
            directory.mkdir(exist_ok=True)
        needed, *others = self._version.cap
        _inside(group.memory, needed).write_text(str(cap_bytes))
        for name, value in {**dict.fromkeys(others, str(cap_bytes)), **self._version.also}.items():
            with suppress(OSError):  # this kernel does not account for swap, say
                _inside(group.memory, name).write_text(value)
        return group

    def _made(self, root: Path | None) -> Path:
        if root is None:
            raise FileNotFoundError("the hierarchy is not mounted")
        parent = root / self._name
        parent.mkdir(exist_ok=True)
        return parent

    def _if_allowed(self, root: Path | None) -> Path | None:
        with suppress(OSError):
            return self._made(root)
        return None

    def _delegated(self, root: Path | None) -> Path:
        """Our group of version 2, with the controllers handed down; only the one for memory must be."""
        parent = self._made(root)
        for directory in (parent.parent, parent):
            (directory / "cgroup.subtree_control").write_text("+memory")
            with suppress(OSError):
                (directory / "cgroup.subtree_control").write_text("+cpu")
        return parent


def remove_groups(home: Path, hierarchies: Hierarchies) -> None:
    """Remove every group that an agent in ``home`` made, with whoever is in it."""
    for root in hierarchies.all():
        parent = root / group_name(home)
        _remove_below(parent, set())
        _remove(parent)


def group_name(home: Path) -> str:
    """What the group of the node in ``home`` is called."""
    return f"miniplatform-{home.name}-{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]}"


def _directories(group: Cgroup) -> Iterable[Path]:
    return dict.fromkeys(path for path in (group.memory, group.cpu, group.pressure) if path is not None)


def _inside(directory: Path | None, name: str) -> Path:
    if directory is None:
        raise FileNotFoundError(name)
    return directory / name


def _members(group: Path | None) -> list[int]:
    """The processes in a group, without those of another pid namespace: they show as 0, and a signal to 0 is for ourselves."""
    with suppress(OSError):
        return [pid for pid in map(int, _inside(group, "cgroup.procs").read_text().split()) if pid > 0]
    return []


def _remove_below(parent: Path, keep: set[str]) -> None:
    with suppress(OSError):
        for group in list(parent.iterdir()):
            if group.is_dir() and group.name not in keep:
                _remove(group)


def _remove(group: Path) -> None:
    for _ in range(_TRIES):
        for pid in _members(group):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(OSError):
            group.rmdir()
        if not group.exists():
            return
        time.sleep(_PAUSE_S)
