"""How many things one org may have: the file that a control plane enforces, read by whoever computes from it too.

```toml
[per_org]
max_envs = 100
max_routes = 50
```

A number that nobody enforces is not in it, so that what is in it can be relied on.
"""

from __future__ import annotations

import errno
import re
import reprlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
        content = _parsed(path)
        found = content.get(_TABLE)
        if not isinstance(found, dict) or set(content) != {_TABLE}:
            raise SettingsError(
                f"the quotas {str(path)!r} must be one table [{_TABLE}], such as max_envs = 100, and nothing else"
            )
        for name, value in found.items():
            if not _NAME.match(name):
                raise SettingsError(f"the quotas {str(path)!r} hold {name!r}, which is no name of a quota; it begins with max_")
            if type(value) is not int or not 0 <= value <= _MOST:
                raise SettingsError(
                    f"{name!r} in the quotas {str(path)!r} is {reprlib.repr(value)}; it must be a whole number, 0 to {_MOST}"
                )
        _require_same(path, set(found), list(enforced))
        return Quotas(path=path, per_org=found)

    def where(self, name: str) -> str:
        """The file, the key and the value of a quota; empty for one that is not enforced."""
        return f"{self.path} {_TABLE}.{name} = {self.per_org[name]}" if name in self.per_org else ""


def _require_same(path: Path, found: set[str], enforced: list[str]) -> None:
    for name in enforced:
        if name not in found:
            raise SettingsError(
                f"the quotas {str(path)!r} have no {name!r}; write down how many an org may have, nothing is assumed"
            )
    for name in sorted(found.difference(enforced)) if enforced else ():
        raise SettingsError(
            f"the quotas {str(path)!r} hold {name!r}, which nothing here enforces; leave it out, or budgets would rely on it"
        )


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"the quotas {str(path)!r} cannot be read: {error.strerror}; name another file") from None
    except ValueError as error:
        raise SettingsError(f"the quotas {str(path)!r} are not valid TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"the quotas {str(path)!r} are nested too deeply; they are one table") from None
