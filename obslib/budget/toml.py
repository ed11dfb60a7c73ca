"""Reading a TOML file that somebody named: whatever is wrong with it is one sentence that names the file."""

from __future__ import annotations

import errno
import tomllib
from pathlib import Path
from typing import Any

from obslib.errors import ObslibError

__all__ = ["read_toml"]


def read_toml(path: Path, *, what: str, way_out: str, refusal: type[ObslibError]) -> dict[str, Any]:
    """The content of ``what`` is at ``path``; raises ``refusal``, with the ``way_out``, for a file that is none or no TOML."""
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise refusal(f"{what} {str(path)!r} cannot be read: {error.strerror}; {way_out}") from None
    except ValueError as error:
        raise refusal(f"{what} {str(path)!r} is not valid TOML: {error}; {way_out}") from None
    except RecursionError:
        raise refusal(f"{what} {str(path)!r} is nested too deeply; {way_out}") from None
