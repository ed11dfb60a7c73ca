"""The ``obslib`` command: what reviewers, CI and a puzzled author ask the library itself."""

from __future__ import annotations

import argparse
import os
import sys

from obslib.cli.doctor import doctor
from obslib.errors import LedgerError, ObslibError, SettingsError

__all__ = ["main"]


def main() -> None:
    """Entry point; exits 0 when all is well, 1 when a start would fail or a check does, 2 on invalid usage."""
    parser = _parser()
    arguments = parser.parse_args()
    try:
        code = _run(arguments, parser)
        sys.stdout.flush()
    except ObslibError as error:
        print(f"obslib: {error}", file=sys.stderr)
        code = 1 if isinstance(error, (SettingsError, LedgerError)) else 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    from obslib.cli.requirements import add_arguments

    parser = argparse.ArgumentParser(prog="obslib", description="Ask obslib about itself.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("doctor", help="print the effective settings, where each came from, what is off and why")
    command.add_argument("component", nargs="?", default="", help="also check what this component needs (such as agent)")
    command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    add_arguments(commands.add_parser("requirements", help="print which requirements are satisfied, open, or wrongly claimed"))
    return parser


def _run(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if arguments.command == "requirements":
        from obslib.cli.commands import commands
        from obslib.cli.requirements import requirements

        return requirements(arguments, commands(parser))
    return doctor(arguments.component, as_json=arguments.json)
