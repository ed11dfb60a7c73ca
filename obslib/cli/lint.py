"""``obslib lint``: what is wrong with the telemetry in these sources, why it hurts, and how it is mended.

Exit code 0 when nothing was found, 1 when something was (a file that could not be looked at is something), 2 for wrong
usage or configuration. With ``--fix`` it is about what is left; with ``--diff`` nothing is written, so it is about all.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from obslib.cli.artifacts import add_artifacts, are_asked_for, artifact_findings
from obslib.clock import Clock, SystemClock
from obslib.errors import UsageError
from obslib.lint.cache import FOLDER, Cache
from obslib.lint.configuration import Configuration
from obslib.lint.files import find
from obslib.lint.finding import Finding
from obslib.lint.linter import Answer, Checked, Linter, Outcome
from obslib.lint.mending import difference, mend, save
from obslib.lint.patterns import Patterns
from obslib.lint.selection import Selection
from obslib.lint.source import LARGEST_BYTES, Source, Unfit
from obslib.lint.stack import with_room

if TYPE_CHECKING:
    from obslib.lint import Project
    from obslib.lint.rulebook import Entry

__all__ = ["add", "lint"]

_FORMATS = ("text", "json", "sarif", "github")
_WIDTH = 128
_CODES = "exit code: 0 nothing was found; 1 something was (with --fix: something is left); 2 wrong usage or configuration"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "lint", help="print what is wrong with the telemetry in sources, scrapes, rules or dashboards", epilog=_CODES
    )
    command.add_argument(
        "paths", nargs="*", metavar="PATH", help="files, folders, or - for standard input (default: as configured, else .)"
    )
    command.add_argument("--format", choices=_FORMATS, default="text", help="for people (text) or programs")
    command.add_argument("--select", type=_words, metavar="RULES", help="only these: codes, names or beginnings of codes")
    command.add_argument("--ignore", type=_words, default=(), metavar="RULES", help="not these, beside what is configured")
    mending = command.add_mutually_exclusive_group()
    mending.add_argument("--fix", action="store_true", help="mend what is certain, in the files")
    mending.add_argument("--diff", action="store_true", help="print what --fix would change, and change nothing")
    command.add_argument("--config", type=Path, metavar="FILE", help="take [tool.obslib.lint] from here (default: the nearest)")
    command.add_argument("--stdin-filename", type=Path, metavar="FILE", help="what standard input is to be taken for")
    command.add_argument(
        "--force-exclude", action="store_true", help="leave out what is excluded though it is named, as a hook does"
    )
    keeping = command.add_mutually_exclusive_group()
    keeping.add_argument("--cache-dir", type=_folder, metavar="DIR", help=f"where answers are kept (default: {FOLDER})")
    keeping.add_argument("--no-cache", action="store_true", help="keep no answers, and use none")
    add_artifacts(command)
    command.set_defaults(run=lint)


def lint(arguments: argparse.Namespace, *, clock: Clock | None = None) -> int:
    """Run the command; ``clock`` says which suppressions are over."""
    _require_one_meaning(arguments)
    _require_places(arguments.paths)
    given = [Path(path) for path in arguments.paths if path != "-"]
    is_piped = len(given) < len(arguments.paths)
    near = [*given, *([arguments.stdin_filename] if is_piped and arguments.stdin_filename else [])]
    configuration = Configuration.load(arguments.config) if arguments.config else Configuration.near(near)
    if is_piped and (arguments.fix or arguments.diff):
        raise UsageError("standard input cannot be mended in place; name the file, or leave out --fix and --diff")
    selection = Selection(configuration, select=arguments.select or (), ignore=arguments.ignore)
    cache = _cache(arguments, configuration)
    linter = Linter(
        _engine(configuration), cache=cache, today=_day(clock or SystemClock()), rule=_code_of, is_reported=selection
    )
    beside, texts = artifact_findings(arguments, selection)
    excluded = Patterns(configuration.exclude, configuration.root)
    paths = given or ([] if is_piped or are_asked_for(arguments) else _configured(configuration))
    if arguments.force_exclude:
        paths = [path for path in paths if not excluded.match(path)]
    try:
        found = find(paths, is_excluded=excluded.match)
    except FileNotFoundError as error:
        raise UsageError(f"there is no {error.filename!r}; name files or folders to lint, or - for standard input") from None
    answers = with_room(lambda: _answers(linter, found.files, arguments))
    cache.save()
    outcome = Outcome.of(answers, (*found.findings, *beside), texts)
    if arguments.diff:
        from obslib.lint.reports.text import summary

        print(f"obslib: {summary(outcome)}", file=sys.stderr)
    else:
        _report(outcome, arguments.format, configuration.root)
    return 1 if outcome.findings else 0


def _require_one_meaning(arguments: argparse.Namespace) -> None:
    if arguments.catalog and not are_asked_for(arguments):
        raise UsageError(
            "--catalog says what scrapes, rules and dashboards are held against, and none is named; "
            "Python sources are read with the catalogs they import"
        )
    if arguments.diff and arguments.format != "text":
        raise UsageError(f"--diff prints a patch and no {arguments.format}; leave out one of them")
    if arguments.stdin_filename and "-" not in arguments.paths:
        raise UsageError("--stdin-filename says what standard input is to be taken for; add - to the paths")


def _require_places(paths: Sequence[str]) -> None:
    if "" in paths:
        raise UsageError("a path is empty, most likely a variable that is not set; name files or folders to lint")
    try:
        os.getcwd()
    except OSError:
        raise UsageError("the working directory is gone; change into one that is there") from None


def _answers(linter: Linter, files: Iterable[Path], arguments: argparse.Namespace) -> list[Answer]:
    answers = [linter.lint(path) for path in files]
    if "-" in arguments.paths:
        answers.append(_piped(linter, arguments.stdin_filename or Path("<stdin>")))
    if arguments.diff:
        _print_differences("".join([_difference(linter, answer) for answer in answers]))
    elif arguments.fix:
        answers = [_mended(linter, answer) for answer in answers]
    return answers


def _cache(arguments: argparse.Namespace, configuration: Configuration) -> Cache:
    folder = None if arguments.no_cache else arguments.cache_dir or configuration.root / FOLDER
    about = (configuration.root, configuration.start_of_imports(), configuration.components)
    return Cache(folder, about=repr(about))


def _engine(configuration: Configuration) -> Callable[[Path, str], Checked]:
    """The rules; they are imported when the first file has to be looked at."""

    @functools.cache
    def project() -> Project:
        from obslib.lint import Project

        components = configuration.components
        return Project(
            configuration.start_of_imports(),
            components=None if components is None else tuple(configuration.root / each for each in components),
        )

    def check(path: Path, text: str) -> Checked:
        from obslib.lint import check as checked

        return checked(path, text, project())

    return check


def _code_of(word: str) -> str | None:
    from obslib.lint.rulebook import code_of

    return code_of(word)


def _configured(configuration: Configuration) -> list[Path]:
    if not configuration.paths:
        return [Path()]
    return [Path(os.path.relpath(configuration.root / each)) for each in configuration.paths]


def _piped(linter: Linter, path: Path) -> Answer:
    try:
        source = Source.of(path, sys.stdin.buffer.read(LARGEST_BYTES + 1))
    except (AttributeError, OSError):
        raise UsageError("standard input is closed or cannot be read; name the file instead of -") from None
    except Unfit as unfit:
        return Answer(path=path, findings=(Finding(path=str(path), place=unfit.place, code=unfit.code, message=unfit.message),))
    return linter.lint_source(source)


def _mended(linter: Linter, answer: Answer) -> Answer:
    before = answer.source
    if before is None or not any(finding.edits for finding in answer.findings):
        return answer
    mended = mend(before, lambda source: linter.lint_source(source).findings)
    problem = mended.problem
    if mended.count:
        try:
            save(before, mended.source)
        except OSError as error:
            problem = error.strerror or str(error)
    if problem:
        print(f"obslib: {str(answer.path)!r} was not mended: {problem}", file=sys.stderr)
        return answer
    print(f"obslib: {mended.count} mended in {str(answer.path)!r}", file=sys.stderr)
    return linter.lint(answer.path)


def _difference(linter: Linter, answer: Answer) -> str:
    before = answer.source
    if before is None or not any(finding.edits for finding in answer.findings):
        return ""
    mended = mend(before, lambda source: linter.lint_source(source).findings)
    if mended.problem:
        print(f"obslib: {str(answer.path)!r} cannot be mended: {mended.problem}", file=sys.stderr)
    return difference(before, mended.source, name=answer.path.as_posix())


def _print_differences(text: str) -> None:
    """For a program as they are; for a terminal without what would steer it."""
    from obslib.lint.reports.glyphs import shown

    if sys.stdout.isatty():
        text = "".join(f"{shown(line)}\n" for line in text.splitlines())
    print(text, end="")


def _report(outcome: Outcome, form: str, root: Path) -> None:
    from obslib.lint import reports

    rules = _explained(outcome)
    if form == "json":
        print(json.dumps(reports.json_document(outcome, rules), indent=2))
    elif form == "sarif":
        print(json.dumps(reports.sarif(outcome, rules, root=root), indent=2))
    elif form == "github":
        for line in reports.github(outcome, rules):
            print(line)
    else:
        is_terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size((_WIDTH, 24)).columns if is_terminal else _WIDTH
        is_coloured = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        for line in reports.Text(rules.get, width=width, is_coloured=is_coloured).lines(outcome):
            print(line)


def _explained(outcome: Outcome) -> Mapping[str, Entry]:
    """The rulebook; none where nothing was found, so that a clean run does not read it."""
    if not outcome.findings:
        return {}
    from obslib.lint.rulebook import rulebook

    return rulebook()


def _day(clock: Clock) -> date:
    return datetime.fromtimestamp(clock.now(), UTC).date()


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError(f"{text!r} names no folder")
    return Path(text)


def _words(text: str) -> Sequence[str]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if not words:
        raise argparse.ArgumentTypeError(f"{text!r} names no rule")
    return words
