"""Every page of the specs says what it answers, who owns it and when it was reviewed, and points only at what exists."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from obslib.catalog import Alert, Retention, Runbook, Severity
from obslib.catalog.platform import PLATFORM
from obslib.cli.commands import commands
from obslib.cli.main import _parser
from obslib.ledger import Command
from obslib.render import missing_sections
from obslib.retention import Policy

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
PAGES = sorted(SPECS.rglob("*.md"))
WRITTEN = ("logging", "metrics", "alerts", "dashboards", "retention", "external-telemetry")

_HEADER = re.compile(
    r"# .+\n\n\*\*Question:\*\* .+\?\n\n"
    r"Status: (?:draft|in force|superseded) · Owner: \S.* · Last reviewed: (?P<day>\d{4}-\d\d-\d\d)\n"
)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"```[a-z]*\n(?P<block>.*?)```|`(?P<span>[^`\n]+)`", re.DOTALL)
_PLACE = re.compile(r"`((?:obslib|shims|tests|specs|examples)/[\w./-]+)`")


def problems_of(page: str, path: Path) -> list[str]:
    """What is wrong with a page; empty when nothing is."""
    found = []
    header = _HEADER.match(page)
    if header is None:
        found.append("no header: title, question, then status, owner and date of review")
    elif not _is_day(header["day"]):
        found.append("reviewed on a day that does not exist")
    related = page.partition("\n## Related\n")[2]
    if not _LINK.search(related):
        found.append("no Related section with a link")
    for link in _LINK.finditer(page):
        target = link["target"].partition("#")[0]
        if "://" not in target and not (path.parent / target).exists():
            found.append(f"link to {target}, which is not there")
    found += [f"{place} does not exist" for place in _PLACE.findall(page) if not (ROOT / place).exists()]
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(SPECS)))
def test_a_page_has_its_header_and_points_at_what_exists(path: Path) -> None:
    """DOC-01 and DOC-02: status, owner, date of review; a Related section; no dead link and no dead path."""
    assert problems_of(path.read_text(), path) == []


def test_the_specs_of_the_requirements_are_written() -> None:
    """SPEC-01 to SPEC-04, TEN-03 and the page on retention are there, and a runbook for each in the catalog."""
    assert {f"{name}.md" for name in WRITTEN} <= {path.name for path in PAGES}
    assert {book.path for book in PLATFORM.of(Runbook)} | {"README.md"} == {
        path.name for path in (SPECS / "runbooks").iterdir()
    }


def test_one_standard_capture_channel_is_defined() -> None:
    """WLG-05: the serial console is the standard and vsock the alternative; the guest's init feeds it both streams."""
    capture = (SPECS / "logging.md").read_text().partition("### Capture\n")[2].partition("\n###")[0]
    assert re.findall(r"`capture_channel=(\w+)`", capture) == ["serial_console", "vsock"]
    assert "**The standard channel is the serial console**" in capture
    assert "forwards the workload's stdout and" in capture


def test_the_policy_in_the_page_on_retention_is_one_that_starts(tmp_path: Path) -> None:
    """Whoever copies the example has every key there is, and values that are accepted."""
    [example] = re.findall(r"```toml\n(.*?)```", (SPECS / "retention.md").read_text(), re.DOTALL)
    path = tmp_path / "retention.toml"
    path.write_text(example)
    policy = Policy.load(path, catalog=PLATFORM)
    assert set(policy.kept) == {key.key for key in PLATFORM.of(Retention)}


GOOD = (
    "# T\n\n**Question:** what?\n\nStatus: in force · Owner: someone · Last reviewed: 2026-01-02\n\n"
    "Text.\n\n## Related\n\n[Metrics](metrics.md)\n"
)


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("Status: in force", "State: in force", "no header: title, question, then status, owner and date of review"),
        ("Owner: someone", "Owner: ", "no header: title, question, then status, owner and date of review"),
        ("2026-01-02", "2026-13-02", "reviewed on a day that does not exist"),
        ("## Related", "## Elsewhere", "no Related section with a link"),
        ("metrics.md", "metric.md", "link to metric.md, which is not there"),
        ("Text.", "See `obslib/catalog/alert.py`.", "obslib/catalog/alert.py does not exist"),
    ],
)
def test_mutant_a_page_without_it_is_found(good: str, bad: str, problem: str) -> None:
    """The check above accepts a good page and names each thing that is wrong in a bad one."""
    assert problems_of(GOOD, SPECS / "x.md") == []
    assert problem in problems_of(GOOD.replace(good, bad), SPECS / "x.md")


def test_whoever_is_paged_has_a_usable_runbook() -> None:
    """A page leads to a runbook with symptoms, mitigation, verification and escalation, which names the alert."""
    for alert in PLATFORM.of(Alert):
        if any(rule.severity is Severity.PAGE for rule in alert.rules):
            assert alert.runbook is not None
            text = (SPECS / "runbooks" / alert.runbook.path).read_text()
            assert missing_sections(text) == ()
            symptoms = text.partition("## Symptoms and alerts")[2].partition("\n## ")[0]
            assert f"`{alert.name}`" in symptoms, alert
            for rule in alert.rules:
                assert not rule.reason or rule.reason in symptoms, (alert, rule.reason)


def known_commands() -> tuple[Command, ...]:
    """Every command of both programs, with its flags."""
    return commands(next(action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)))


def unknown_commands(page: str, known: tuple[Command, ...]) -> list[str]:
    """Commands of ours in a page's code that the command lines do not have."""
    return [line for line in _commands_in(page) if not any(_is(line.split(), command) for command in known)]


def test_every_command_a_page_names_exists() -> None:
    """Each ``platform`` and ``obslib`` command parses against the real command trees, each ``make`` target is one."""
    known = known_commands()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = 0
    for path in PAGES:
        page = path.read_text()
        assert unknown_commands(page, known) == [], path
        for target in re.findall(r"`make ([a-z-]+)", page):
            assert target in targets, path
        named += len(list(_commands_in(page)))
    assert named > 20


def test_mutant_a_command_that_does_not_exist_is_found() -> None:
    """A misspelt command and a flag that a command does not take are both named."""
    page = "`platform descripe env`, `platform why env ENV --loud`\n```sh\nplatform heal env\n```\n`platform why env ENV`"
    assert unknown_commands(page, known_commands()) == [
        "platform descripe env", "platform why env ENV --loud", "platform heal env",
    ]  # fmt: skip


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _commands_in(page: str) -> Iterator[str]:
    for code in _CODE.finditer(page):
        for line in (code["block"] or code["span"]).splitlines():
            if re.match(r"(platform|obslib) [a-z]", line):
                yield line


def _is(words: list[str], command: Command) -> bool:
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    return tuple(words[: len(command.words)]) == command.words and flags <= command.flags
