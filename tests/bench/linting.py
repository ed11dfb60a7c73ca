"""What linting a large project costs, as whole processes without a cache: all our rules against flake8 with one plugin."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from bench.harness import Row, Work

__all__ = ["ROWS"]

_LINES = 100_000
_PACKAGES = (
    "structlog", "starlette", "httpx", "httpcore", "psycopg", "psycopg_pool", "uvicorn", "anyio", "rich", "click", "typer",
    "pydantic",
)  # fmt: skip
"""Well-kept packages that are installed here anyway; the project that is linted is made of the first lines of them."""


def _linters() -> tuple[Work, Work]:
    holder = tempfile.TemporaryDirectory()
    _fill(Path(holder.name))
    ours = _linter(["-c", "from obslib.cli.main import main; main()", "lint", "--no-cache"], holder)
    return ours, _linter(["-m", "flake8", "--isolated"], holder)


def _fill(directory: Path) -> None:
    left = _LINES
    for package in _PACKAGES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"{package} is not installed; run 'make env'")
        source = Path(spec.origin).parent
        for path in sorted(source.rglob("*.py")):
            if left <= 0:
                return
            copy = directory / package / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            left -= path.read_bytes().count(b"\n")


def _linter(program: list[str], holder: tempfile.TemporaryDirectory[str]) -> Work:

    def run(n: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(n):
            done = subprocess.run([sys.executable, *program, holder.name], capture_output=True, check=False)
            if done.returncode not in (0, 1):
                raise RuntimeError(f"{' '.join(program)} ended with {done.returncode}: {done.stderr.decode()}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return run


ROWS = (
    Row(
        id="P19", what=f"obslib lint, {_LINES:,} lines", peer="flake8 with bugbear", target=1.0, make=_linters, rounds=3,
    ),
)  # fmt: skip
