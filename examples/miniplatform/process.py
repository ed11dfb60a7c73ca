"""How every process of the miniplatform starts, is told to stop, and says what it cannot do.

A component's ``main`` raises ``Refusal`` (or one of obslib's own errors) for anything its operator can
mend; this module prints that one sentence on standard error and exits with the code the platform's
command line documents. Nothing shows a traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from miniplatform.config import ConfigError, Timings
from obslib.errors import AddressInUse, ObslibError

__all__ = ["Arguments", "ExitCode", "Main", "Refusal", "announce", "parse", "run"]

_OWN = Path(__file__).parent


class ExitCode(IntEnum):
    """The platform's exit codes (platform facts §20)."""

    SUCCESS = 0
    FAILURE = 1
    INVALID_USAGE = 2
    AUTH = 3
    NOT_FOUND = 4
    CONFLICT = 5
    TRANSIENT = 6
    INTERNAL = 7


class Refusal(Exception):
    """The process cannot do its work, and the operator can change that; the message says how."""

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the launcher tells a process. ``name`` tells two processes of one component apart."""

    component: str
    name: str
    state: Path
    database_url: str = ""
    api: str = ""
    identity: Path | None = None
    port: int = 0
    admin_port: int | None = None
    retention_policy: str = ""
    quotas: Path = _OWN / "quotas.toml"

    @property
    def home(self) -> Path:
        """The process's own directory under the state directory."""
        return self.state / self.name


Main = Callable[[Arguments, Timings], Awaitable[None]]


def announce(arguments: Arguments, address: str, *, kind: str = "admin") -> None:
    """Write where the process listens (``host:port``) to ``<state>/run/<name>.<kind>``, atomically."""
    directory = arguments.state / "run"
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{arguments.name}.{kind}"
    draft = target.with_suffix(target.suffix + ".new")
    draft.write_text(address)
    os.replace(draft, target)


def parse(component: str, argv: list[str]) -> Arguments:
    """Read a component's command line; argparse exits with 2 and one sentence on a wrong flag."""
    parser = argparse.ArgumentParser(prog=f"miniplatform {component}")
    parser.add_argument("--state", type=Path, required=True, help="state directory shared by the platform's processes")
    parser.add_argument("--name", default=component, help="name of this process (default: its component)")
    parser.add_argument(
        "--database-url", default=os.environ.get("DATABASE_URL", ""), help="PostgreSQL URL (default: DATABASE_URL)"
    )
    parser.add_argument("--api", default="", help="URL of the control plane")
    parser.add_argument("--identity", type=Path, help="file with the node's id and token")
    parser.add_argument("--port", type=int, default=0, help="port to serve on; 0 takes a free one")
    parser.add_argument(
        "--admin-port", type=int, help="port of /metrics, /livez and /readyz; 0 takes a free one (default: OBSLIB_ADMIN_PORT)"
    )
    parser.add_argument(
        "--retention-policy",
        default=os.environ.get("MINI_RETENTION_POLICY", str(_OWN / "retention.toml")),
        help="how long records are kept (default: MINI_RETENTION_POLICY, else the miniplatform's own retention.toml)",
    )
    parser.add_argument(
        "--quotas", type=Path, default=os.environ.get("MINI_QUOTAS", str(_OWN / "quotas.toml")),
        help="how much an org may have (default: MINI_QUOTAS, else the miniplatform's own quotas.toml)",
    )  # fmt: skip
    return Arguments(component=component, **vars(parser.parse_args(argv)))


def run(main: Main, arguments: Arguments) -> ExitCode:
    """Run ``main`` until it returns or a signal asks it to stop; returns the exit code."""
    try:
        arguments.home.mkdir(parents=True, exist_ok=True)
        asyncio.run(_until_signalled(main, arguments))
    except Refusal as refusal:
        return _say(str(refusal), refusal.exit_code)
    except AddressInUse as error:
        return _say(str(error), ExitCode.CONFLICT)
    except (ConfigError, ObslibError) as error:
        return _say(str(error), ExitCode.INVALID_USAGE)
    except OSError as error:
        return _say(f"{arguments.name} cannot use {str(arguments.state)!r}: {error.strerror or error}", ExitCode.FAILURE)
    except Exception as error:  # the last resort: what is not foreseen is still one sentence
        return _say(f"{arguments.name} failed: {type(error).__name__}: {error}", ExitCode.INTERNAL)
    return ExitCode.SUCCESS


async def _until_signalled(main: Main, arguments: Arguments) -> None:
    task = asyncio.ensure_future(main(arguments, Timings.from_environment()))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise


def _say(sentence: str, code: ExitCode) -> ExitCode:
    print(f"miniplatform: {' '.join(sentence.split())}", file=sys.stderr)
    return code
