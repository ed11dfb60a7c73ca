"""``obslib lint --metrics | --rules | --dashboards``: what speaks of signals outside of Python, held against the catalog."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from obslib.cli.catalogs import add_catalog, load_catalog
from obslib.errors import UsageError
from obslib.lint.finding import Finding

__all__ = ["add_artifacts", "are_asked_for", "artifact_findings"]


def add_artifacts(command: argparse.ArgumentParser) -> None:
    """Give ``command`` the flags that name scrapes, rule files and dashboards."""
    named = command.add_argument_group("scrapes, rule files and dashboards", "each as often as wanted, with PATHs or alone")
    named.add_argument(
        "--metrics", action="append", default=[], metavar="URL|FILE", help="what a process exposes; - is standard input"
    )
    named.add_argument(
        "--rules", action="append", default=[], metavar="FILE", help="a Prometheus rule file, or a folder of them"
    )
    named.add_argument(
        "--dashboards", action="append", default=[], metavar="FILE", help="a Grafana dashboard, or a folder of them"
    )
    add_catalog(command)


def are_asked_for(arguments: argparse.Namespace) -> bool:
    """Whether any was named."""
    return bool(arguments.metrics or arguments.rules or arguments.dashboards)


def artifact_findings(
    arguments: argparse.Namespace, is_reported: Callable[[Path, str], bool]
) -> tuple[tuple[Finding, ...], Mapping[str, str]]:
    """What is reported about them, and their texts by the name in the findings; what is malformed always is.

    Raises UsageError for what cannot be read, and where the extra ``lint`` is not installed.
    """
    if not are_asked_for(arguments):
        return (), {}
    if arguments.metrics.count("-") + arguments.paths.count("-") > 1:
        raise UsageError("standard input can be one thing only; name files for the others")
    from obslib.lint.artifacts import check_artifacts
    from obslib.lint.artifacts.rules.malformed import MalformedArtifact

    try:
        checked = check_artifacts(
            load_catalog(arguments.catalog), metrics=arguments.metrics, rules=arguments.rules, dashboards=arguments.dashboards
        )
    except ImportError as error:
        raise UsageError(
            f"rule files and dashboards cannot be read without {error.name!r}; pip install 'platform-obslib[lint]'"
        ) from None
    blind = MalformedArtifact.code
    wanted = (each for each in checked.findings if each.code == blind or is_reported(Path(each.path), each.code))
    return tuple(wanted), checked.texts
