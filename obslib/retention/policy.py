"""The retention policy: one TOML file that says how long each kind of record is kept, and from which all else follows.

```toml
[retention]
platform_logs = "14d"        # a time: a whole number and s, m, h, d, w or y
workload_logs = "7d"
metrics = "14d"              # at most 100 years
traces = "not_stored"        # or a time
audit_events = "permanent"   # or, once it has been decided:
# audit_events = { keep = "400d", policy_id = "RP-7", adr = "ADR-31", adr_status = "accepted" }
```

There are no defaults: a process whose catalog declares keys for it does not start while one is missing (RET-07).
"""

from __future__ import annotations

import errno
import re
import reprlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from obslib.catalog import Catalog, Retention
from obslib.errors import SettingsError

__all__ = ["Decided", "Kept", "Policy"]

_TIME = re.compile(r"([1-9][0-9]{0,5})([smhdwy])\Z")
_SECONDS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_LONGEST_S = 100 * _SECONDS["y"]
_POLICY_ID = re.compile(r"[A-Z]{2,8}-[0-9]{1,6}\Z")
_ADR = re.compile(r"ADR-[0-9]{1,6}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a value that needs a decision rests on."""

    policy_id: str
    adr: str
    is_accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long one kind of record is kept: ``text`` as it was written, ``seconds`` unless it is a word, and from where."""

    key: str
    text: str
    seconds: int | None
    source: str
    decided: Decided | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every value of a policy file, by key (``retention.metrics``). Empty for components that keep no records."""

    path: Path | None = None
    kept: Mapping[str, Kept] = field(default_factory=dict)

    @staticmethod
    def needed_by(component: str, *, catalog: Catalog, path: str) -> Policy:
        """The policy in the file at ``path`` for a component; an empty one for a component that keeps no records.

        Raises SettingsError when it needs one and a key, or all of it, is missing.
        """
        keys = catalog.of(Retention, component)
        if not keys:
            return Policy()
        if not path:
            wanted = ", ".join(f"{key.key} (documented default {key.documented_default!r})" for key in keys)
            raise SettingsError(
                f"component {component!r} keeps records, so it needs a retention policy; pass retention_policy=… to start() or "
                f"set OBSLIB_RETENTION_POLICY to the path of a TOML file with {wanted}"
            )
        return Policy.load(Path(path), catalog=catalog, component=component)

    @staticmethod
    def load(path: Path, *, catalog: Catalog, component: str | None = None) -> Policy:
        """Read the file, which is one for the whole platform: every key of ``catalog`` may have a value in it, no other.

        Those that ``component`` needs (all of them, for None) must have one. Raises SettingsError with one sentence that
        names the key, its documented default and the file.
        """
        known, found = {key.key: key for key in catalog.of(Retention)}, _flat(_parsed(path))
        for name in found:
            if name not in known:
                raise SettingsError(
                    f"the retention policy {str(path)!r} holds {name!r}, which is no key of it; it takes {', '.join(known)}"
                )
        needed = {key.key for key in catalog.of(Retention, component)}
        return Policy(
            path=path, kept={name: _kept(path, key, found) for name, key in known.items() if name in found or name in needed}
        )

    def __getitem__(self, key: str) -> Kept:
        """The value of a key; raises KeyError for one that this process does not need."""
        return self.kept[key]

    def horizon(self, key: str, now: float) -> float | None:
        """The Unix time before which records of a key are no longer kept; None when nothing goes by age."""
        seconds = self.kept[key].seconds
        return None if seconds is None else now - seconds

    def prometheus_flags(self) -> tuple[str, ...]:
        """The flags that make a Prometheus keep its series as long as the policy says (RET-03); none without a policy."""
        if "retention.metrics" not in self.kept:
            return ()
        return (f"--storage.tsdb.retention.time={self.kept['retention.metrics'].text}",)

    def lines(self) -> list[dict[str, str]]:
        """Key, value and source of everything, for people."""
        return [{"key": kept.key, "value": kept.text, "source": kept.source} for kept in self.kept.values()]


def _parsed(path: Path) -> dict[str, Any]:
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"the retention policy {str(path)!r} cannot be read: {error.strerror}; name another with OBSLIB_RETENTION_POLICY"
        ) from None
    except ValueError as error:
        raise SettingsError(f"the retention policy {str(path)!r} is not valid TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"the retention policy {str(path)!r} is nested too deeply; it has one table") from None


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted key, one table deep."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": kept for inner, kept in value.items()}
        else:
            found[name] = value
    return found


def _kept(path: Path, key: Retention, found: Mapping[str, Any]) -> Kept:
    if key.key not in found:
        raise SettingsError(
            f"the retention policy {str(path)!r} has no value for {key.key!r} (documented default {key.documented_default!r}); "
            "write down how long it is kept, nothing is assumed"
        )
    value, decided = found[key.key], None
    if isinstance(value, dict) and key.needs_decision:
        value, decided = _decided(path, key, value)
    seconds = _seconds(value) if isinstance(value, str) else None
    if not isinstance(value, str) or (seconds is None and value not in key.words):
        shown = reprlib.repr(value)
        raise SettingsError(f"{key.key!r} in the retention policy {str(path)!r} is {shown}; it must be {_allowed(key)}")
    if seconds is not None and key.needs_decision and decided is None:
        written = f'{{ keep = "{value}", policy_id = "RP-…", adr = "ADR-…", adr_status = "accepted" }}'
        raise SettingsError(
            f"{key.key!r} in the retention policy {str(path)!r} is {value!r}, which needs a decision; write {written}, "
            f"or {' or '.join(map(repr, key.words))}"
        )
    return Kept(key=key.key, text=value, seconds=seconds, source=str(path), decided=decided)


def _seconds(text: str) -> int | None:
    """How long a time is; None for what is none, and for one so long that no clock could be set back by it."""
    time = _TIME.match(text)
    seconds = int(time[1]) * _SECONDS[time[2]] if time else None
    return seconds if seconds is None or seconds <= _LONGEST_S else None


def _decided(path: Path, key: Retention, value: Mapping[str, Any]) -> tuple[object, Decided]:
    given = (value.get(name, "") for name in ("policy_id", "adr", "adr_status"))
    policy_id, adr, status = (word if isinstance(word, str) else reprlib.repr(word) for word in given)
    if not _POLICY_ID.match(policy_id) or not _ADR.match(adr) or set(value) - {"keep", "policy_id", "adr", "adr_status"}:
        raise SettingsError(
            f"{key.key!r} in the retention policy {str(path)!r} names policy_id {policy_id!r} and adr {adr!r}; "
            "it takes keep, policy_id (such as RP-7), adr (such as ADR-31) and adr_status, and nothing else"
        )
    return value.get("keep"), Decided(policy_id=policy_id, adr=adr, is_accepted=status == "accepted")


def _allowed(key: Retention) -> str:
    time = "a time such as 14d (s, m, h, d, w or y) of at most 100 years"
    return " or ".join([*(repr(word) for word in key.words), time])
