"""The images of this node: the apps as an archive by digest, and unpacked, which is what workloads run from.

The registry is the directory of the examples. Above nine tenths of its limit the cache gives up what was used longest ago,
down to seven tenths, and never what a boot refers to by the link in its directory (platform facts §12).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from miniplatform.agent.workload import StartFailed
from obslib_agent import CacheKind, CacheTotals, ImageCache

__all__ = ["Images", "PullFailed"]

_REGISTRY = Path(__file__).parents[2]
_LIMIT_BYTES = 64 * 2**20
_HIGH_WATER, _LOW_WATER = 0.9, 0.7
_LINK = "image"


class PullFailed(StartFailed):
    """The image could not be brought to this node."""

    reason = "image_pull_failed"


class Images:
    """The cache in ``directory``, for the boots in ``boots``; ``totals`` may be read from any thread."""

    def __init__(self, directory: Path, boots: Path, *, registry: Path = _REGISTRY, limit_bytes: int = _LIMIT_BYTES) -> None:
        self._kinds: dict[CacheKind, Path] = {kind: directory / kind for kind in ("oci", "rootdisks", "tmp")}
        self._boots = boots
        self._registry = registry
        self._limit_bytes = limit_bytes
        self._asked = Counter[bool]()
        self._evicted = Counter[CacheKind]()
        shutil.rmtree(self._kinds["tmp"], ignore_errors=True)
        for path in self._kinds.values():
            path.mkdir(parents=True, exist_ok=True)
        self.totals = self._count()

    def bring(self, command: Sequence[str], boot: Path, cache: ImageCache) -> dict[str, str]:
        """Bring the image that ``command`` runs from, if it runs from one; returns what its environment needs for that.

        ``boot`` is the boot's directory, which refers to the image from now on. Raises PullFailed.
        """
        if not any(word.startswith("miniplatform.apps.") for word in command):
            return {}
        try:
            rootdisk = self._rootdisk(cache)
            boot.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # consoles will be in there
            boot.mkdir(exist_ok=True)
            (boot / _LINK).symlink_to(rootdisk)
        except (OSError, zipfile.BadZipFile) as error:
            raise PullFailed(f"image_layer_invalid: {getattr(error, 'strerror', None) or error}") from error
        self._evict()
        return {"PYTHONPATH": str(rootdisk)}

    def _rootdisk(self, cache: ImageCache) -> Path:
        digest = _digest(self._registry)
        rootdisk = self._kinds["rootdisks"] / digest
        self._asked[rootdisk.exists()] += 1
        if rootdisk.exists():
            os.utime(rootdisk)
            return rootdisk
        with cache.pulling():
            archive, draft = self._kinds["oci"] / f"{digest}.zip", self._kinds["tmp"] / digest
            with zipfile.ZipFile(draft, "w") as packed:
                for path in _files(self._registry):
                    packed.write(path, path.relative_to(self._registry))
            draft.replace(archive)
            with cache.converting():
                with zipfile.ZipFile(archive) as packed:
                    packed.extractall(draft)
                if _digest(draft) != digest:
                    raise OSError("what was unpacked has another digest")
                draft.replace(rootdisk)
        return rootdisk

    def _evict(self) -> None:
        self.totals = self._count()
        held = sum(self.totals.bytes.values())
        if held <= self._limit_bytes * _HIGH_WATER:
            return
        needed = {link.readlink().name for link in self._boots.glob(f"*/{_LINK}")}
        for kind, entry in self._oldest_first():
            if held <= self._limit_bytes * _LOW_WATER:
                break
            if entry.stem not in needed:
                held -= _size(entry)
                if entry.is_dir():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
                self._evicted[kind] += 1
        self.totals = self._count()

    def _oldest_first(self) -> list[tuple[CacheKind, Path]]:
        found = [(kind, entry) for kind, path in self._kinds.items() for entry in path.iterdir()]
        return sorted(found, key=lambda item: item[1].stat().st_mtime)

    def _count(self) -> CacheTotals:
        return CacheTotals(
            bytes={kind: _size(path) for kind, path in self._kinds.items()},
            limit_bytes=self._limit_bytes,
            hits=self._asked[True],
            misses=self._asked[False],
            evictions={(kind, "gc"): count for kind, count in self._evicted.items()},
        )


def _files(root: Path) -> list[Path]:
    package = root / "miniplatform"
    return [package / "__init__.py", *sorted((package / "apps").glob("*.py"))]


def _digest(root: Path) -> str:
    parts = (f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in _files(root))
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size
