"""The ``obslib`` command: what reviewers, CI and a puzzled author ask the library itself."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stderr, redirect_stdout

from obslib.cli import budget, build, doctor, explain, lint, requirements
from obslib.cli.platform.failure import CliFailure
from obslib.cli.platform.outlet import abandon, for_answers, for_notes
from obslib.errors import LedgerError, ObslibError, SettingsError, SpecError
from obslib.lint.reports.glyphs import shown

__all__ = ["main"]


def main() -> None:
    """Entry point; exits 0 when all is well, 1 when a start would fail or a check does, 2 on invalid usage.

    An answer that cannot be written is a failure too (1); one whose reader has gone away changes nothing.
    """
    try:
        with redirect_stdout(for_answers(sys.stdout, outlives_reader=True)), redirect_stderr(for_notes(sys.stderr)):
            code = _run()
    finally:
        abandon(sys.stdout)
        abandon(sys.stderr)
    sys.exit(code)


def _run() -> int:
    try:
        arguments = _parser().parse_args()
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except (ObslibError, CliFailure) as error:
        print("\n".join(map(shown, f"obslib: {error}".split("\n"))), file=sys.stderr)
        return 1 if isinstance(error, (SettingsError, LedgerError, SpecError, CliFailure)) else 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="obslib", description="Ask obslib about itself.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    doctor.add(commands)
    build.add(commands)
    budget.add(commands)
    requirements.add(commands)
    lint.add(commands)
    explain.add(commands)
    return parser
