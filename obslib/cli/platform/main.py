"""The entry point: whatever happens, one answer or one error, and the documented exit code.

| exit | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 130 |
|---|---|---|---|---|---|---|---|---|---|
| meaning | success | failure | invalid usage | auth | not found | conflict | transient | internal | Ctrl-C |

Ctrl-C ends any command with 130 and no words, ``events tail`` too: its user asked for it. A reader that
closes the pipe (``| head``) ends the command with 0 and no words. An answer that cannot be written otherwise
is a failure; an error keeps its code when standard error takes nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress

from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.flags import command_of, globals_first, refuse_undecodable
from obslib.cli.platform.outlet import abandon, for_answers, for_notes

__all__ = ["INTERRUPTED", "main"]

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code and never raises."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        with redirect_stdout(for_answers(sys.stdout)), redirect_stderr(for_notes(sys.stderr)):
            return _run(given)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    finally:
        abandon(sys.stdout)
        abandon(sys.stderr)


def _run(argv: list[str]) -> int:
    try:
        import typer

        from obslib.cli.platform.app import build, session_of
    except ImportError as error:
        return _tell(
            CliFailure(
                Category.FAILURE,
                f"the platform command needs {error.name!r}, which is not installed",
                hint="pip install 'platform-obslib[cli]'",
            ),
            argv,
        )
    command, holder = build()
    try:
        refuse_undecodable(argv)
        with command.make_context("platform", globals_first(argv)) as invocation:
            command.invoke(invocation)
    except CliFailure as failure:
        session = session_of(holder)
        return _tell(failure, argv, trace_id=session.trace_id if session else "", secret=session.saved.token if session else "")
    except typer.Exit as ending:
        return ending.exit_code
    except typer.Abort:
        return INTERRUPTED
    except typer.exceptions.TyperException as error:
        return _tell(_usage(error), argv)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        message = f"the command itself failed with {type(error).__name__}; this is a defect of the command"
        session = session_of(holder)
        if session is not None and session.flags.is_debug:
            message += f": {error}"
        return _tell(CliFailure(Category.INTERNAL, message, hint="run it again with --debug and report what it says"), argv)
    finally:
        session = session_of(holder)
        if session is not None:
            session.close()
    return 0


def _usage(error: Exception) -> CliFailure:
    told = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path if context else 'platform'} --help"
    return CliFailure(Category.INVALID_USAGE, " ".join(told.split()).rstrip(".") or "wrong usage", hint=hint)


def _tell(failure: CliFailure, argv: Sequence[str], *, trace_id: str = "", secret: str = "") -> int:
    """Write the failure: as JSON to standard output under ``--json``, else in up to three lines to standard error.

    JSON that standard output does not take comes out as those lines instead.
    """
    if "--json" in argv:
        text = json.dumps(failure.as_dict(command=command_of(argv), trace_id=trace_id), indent=2)
        with suppress(CliFailure):
            sys.stdout.write((text.replace(secret, "[redacted:typed]") if secret else text) + "\n")
            sys.stdout.flush()
            return failure.category.exit_code
    from obslib.cli.platform.screen import Screen

    screen = Screen(is_json=False, secrets=(secret,))
    screen.note(f"error: {failure.message}", style="bold red")
    if failure.hint:
        screen.note(f"hint: {failure.hint}", style="")
    traced = " ".join(f"{name} {value}" for name, value in (("trace", trace_id), ("request", failure.request_id)) if value)
    if traced:
        screen.note(traced)
    return failure.category.exit_code


if __name__ == "__main__":
    sys.exit(main())
