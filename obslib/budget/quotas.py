"""How many things one org may have: the file that a control plane enforces, read by whoever computes from it too.

```toml
[per_org]
max_envs = 100
max_routes = 50
```

A number that nobody enforces is not in it, so that what is in it can be relied on.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from obslib.budget.toml import read_toml
from obslib.errors import SettingsError

__all__ = ["Quotas"]

_TABLE = "per_org"
_NAME = re.compile(r"max_[a-z0-9_]+\Z")
_MOST = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The quotas of a file, by name. Empty without a file: then nothing is known to be enforced."""

    path: Path | None = None
    per_org: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def load(path: Path, *, enforced: Iterable[str] = ()) -> Quotas:
        """Read the file. Whoever enforces quotas says which: each of them must be in it, and then no other may be.

        Raises SettingsError with one sentence that names the key and the file.
        """
        content = read_toml(path, what="the quotas file", way_out="name another", refusal=SettingsError)
        found, file = content.get(_TABLE), f"the quotas file {str(path)!r}"
        if not isinstance(found, dict) or set(content) != {_TABLE}:
            raise SettingsError(f"{file} must be one table [{_TABLE}], such as max_envs = 100, and nothing else")
        _require_numbers(file, found)
        _require_same(file, set(found), list(enforced))
        return Quotas(path=path, per_org=found)

    def where(self, name: str) -> str:
        """The file, the key and the value of a quota; empty for one that is not enforced."""
        return f"{self.path} {_TABLE}.{name} = {self.per_org[name]}" if name in self.per_org else ""


def _require_numbers(file: str, found: Mapping[str, object]) -> None:
    for name, value in found.items():
        if not _NAME.match(name):
            raise SettingsError(f"{file} holds {name!r}, which is no name of a quota; it begins with max_")
        if type(value) is not int or not 0 <= value <= _MOST:
            raise SettingsError(f"{file} says {name} = {reprlib.repr(value)}; it must be a whole number from 0 to {_MOST}")


def _require_same(file: str, found: set[str], enforced: list[str]) -> None:
    for name in enforced:
        if name not in found:
            raise SettingsError(f"{file} has no {name!r}; write down how many an org may have, nothing is assumed")
    for name in sorted(found.difference(enforced)) if enforced else ():
        raise SettingsError(f"{file} holds {name!r}, which nothing here enforces; leave it out, or budgets would rely on it")
