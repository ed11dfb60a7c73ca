"""What was found in a file the last time, kept for as long as nothing that it depends on has changed.

An answer depends on the bytes of the file, on those of every other file that was read for it, on the configuration,
and on the linter itself: its rules and the catalog they know. All of it is in the key. A cache that cannot be read,
belongs to another version or was tampered with is no cache; one that cannot be written is none either.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from obslib.lint.finding import Edit, Finding, Place
from obslib.lint.suppression import Suppression

__all__ = ["FOLDER", "Cache", "Kept"]

FOLDER = ".obslib_cache"
_FILE = "lint.json"
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of 'obslib lint'; it may be deleted.\n"
_HOME = Path(__file__).parents[1]
_DEPENDED_ON = ("lint", "catalog", "redaction", "errors.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one file said before any comment was heard: findings, suppressions, and the other files that were read."""

    findings: tuple[Finding, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    read: frozenset[Path] = frozenset()


class Cache:
    """Answers by path. ``about`` is whatever else the answers depend on, such as the configuration."""

    def __init__(self, folder: Path | None, *, about: str) -> None:
        self._folder = folder
        self._key = "" if folder is None else _digest(f"{about}\0{_engine()}\0{sys.version}".encode())
        self._entries: dict[str, Any] = {} if folder is None else _load(folder / _FILE, self._key)
        self._news: dict[str, Any] = {}
        self._digests: dict[str, str] = {}

    def get(self, path: Path, digest: str) -> Kept | None:
        """What was found in this content at this path, if nothing it depends on has changed since."""
        entry = self._entries.get(os.path.abspath(path))
        try:
            if entry is None or entry["digest"] != digest:
                return None
            if any(self._digest_of(name) != known for name, known in entry["read"].items()):
                return None
            return _kept(entry, str(path))
        except (KeyError, TypeError, AttributeError, ValueError):
            return None

    def put(self, path: Path, digest: str, kept: Kept) -> None:
        """Remember it; written to disk by :meth:`save`."""
        if self._folder is not None:
            read = {os.path.abspath(each): self._digest_of(os.path.abspath(each)) for each in sorted(kept.read)}
            self._news[os.path.abspath(path)] = {
                "digest": digest,
                "read": read,
                "findings": [asdict(finding) for finding in kept.findings],
                "suppressions": [asdict(suppression) for suppression in kept.suppressions],
            }

    def save(self) -> None:
        """Write what is new beside what another run may have written meanwhile; files that are gone are forgotten.

        A folder that cannot be written is left alone: the next run is slower, and says the same. One that holds anything is
        somebody's, and is not marked as a cache: version control would ignore all of it.
        """
        if self._folder is None or not self._news:
            return
        entries = {**self._entries, **_load(self._folder / _FILE, self._key), **self._news}
        entries = {path: entry for path, entry in entries.items() if path in self._news or os.path.exists(path)}
        body = json.dumps(entries, separators=(",", ":"))
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            if not any(self._folder.iterdir()):
                for name, text in (("CACHEDIR.TAG", _TAG), (".gitignore", "*\n")):
                    _write(self._folder / name, text)
            _write(self._folder / _FILE, f"{self._key} {_digest(body.encode())}\n{body}")

    def _digest_of(self, name: str) -> str:
        """The digest of another file; one that is not there has one too, so that its coming is noticed."""
        if name not in self._digests:
            try:
                self._digests[name] = _digest(Path(name).read_bytes())
            except OSError:
                self._digests[name] = "absent"
        return self._digests[name]


def _load(file: Path, key: str) -> dict[str, Any]:
    try:
        head, _, body = file.read_bytes().partition(b"\n")
        if head.decode("ascii").split(" ") != [key, _digest(body)]:
            return {}
        entries = json.loads(body)
    except (OSError, ValueError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _kept(entry: Mapping[str, Any], path: str) -> Kept:
    return Kept(
        findings=tuple(_finding(each, path) for each in entry["findings"]),
        suppressions=tuple(_suppression(each) for each in entry["suppressions"]),
        read=frozenset(map(Path, entry["read"])),
    )


def _finding(entry: Mapping[str, Any], path: str) -> Finding:
    edits = tuple(Edit(place=Place(**edit["place"]), text=edit["text"]) for edit in entry["edits"])
    return Finding(**{**entry, "path": path, "place": Place(**entry["place"]), "edits": edits})


def _suppression(entry: Mapping[str, Any]) -> Suppression:
    codes = tuple((code, column) for code, column in entry["codes"])
    return Suppression(**{**entry, "place": Place(**entry["place"]), "codes": codes})


def _engine() -> str:
    """Tells this linter and this catalog from any other, edited ones included."""
    found = hashlib.sha256()
    for path in sorted(_sources()):
        found.update(f"{path.relative_to(_HOME)}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def _sources() -> Iterable[Path]:
    for room in _DEPENDED_ON:
        yield from (_HOME / room).rglob("*.py") if (_HOME / room).is_dir() else [_HOME / room]


def _write(path: Path, text: str) -> None:
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
