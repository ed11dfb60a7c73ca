"""What importing obslib does: nothing."""

from __future__ import annotations

import json
import subprocess
import sys

_PROBE = """
import json, os, sys, threading

class Watched(dict):
    read = []
    def __getitem__(self, key):
        if isinstance(key, str) and key.startswith("OBSLIB"): Watched.read.append(key)
        return dict.__getitem__(self, key)
    get = lambda self, key, default=None: self[key] if key in self else default

os.environ = Watched(os.environ, OBSLIB_LOG_LEVEL="nonsense")
before = threading.active_count()
import obslib
obslib.start
import obslib.catalog.platform
print(json.dumps({
    "threads": threading.active_count() - before,
    "environment": Watched.read,
    "extras": sorted({name.split(".")[0] for name in sys.modules} & set(%r)),
    "handlers": len(__import__("logging").getLogger().handlers),
}))
"""
_EXTRAS = ("typer", "rich", "httpx", "psycopg", "psycopg_pool", "clickhouse_connect", "promql_parser", "pydantic", "starlette",
           "uvicorn", "psutil")  # fmt: skip


def test_import_starts_nothing_and_imports_no_extra() -> None:
    """Importing obslib and its catalog reads no setting, starts no thread, touches no logger, imports no extra."""
    done = subprocess.run([sys.executable, "-c", _PROBE % (_EXTRAS,)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"threads": 0, "environment": [], "extras": [], "handlers": 0}


def test_importing_optional_sdk_parts_waits_until_they_are_used() -> None:
    """The OpenTelemetry SDK is not imported with obslib."""
    probe = "import obslib, sys; obslib.start; print('opentelemetry.sdk.trace' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_public_name_is_there_and_nothing_else_is() -> None:
    """The table of contents is complete: each name of __all__ loads, a misspelt one is an AttributeError."""
    probe = (
        "import obslib\n"
        "assert all(getattr(obslib, name) is not None for name in obslib.__all__)\n"
        "assert set(obslib.__all__) <= set(dir(obslib))\n"
        "try: obslib.strat\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert "strat" in done.stdout
