"""The ``obslib`` command: what reviewers, CI and a puzzled author ask the library itself."""

from __future__ import annotations

import argparse
import os
import sys

from obslib.cli import build, doctor, requirements
from obslib.errors import LedgerError, ObslibError, SettingsError, SpecError

__all__ = ["main"]


def main() -> None:
    """Entry point; exits 0 when all is well, 1 when a start would fail or a check does, 2 on invalid usage."""
    arguments = _parser().parse_args()
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except ObslibError as error:
        print(f"obslib: {error}", file=sys.stderr)
        code = 1 if isinstance(error, (SettingsError, LedgerError, SpecError)) else 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="obslib", description="Ask obslib about itself.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    doctor.add(commands)
    build.add(commands)
    requirements.add(commands)
    return parser
