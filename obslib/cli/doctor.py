"""``obslib doctor``: the effective settings, where each came from, what is off and why."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from obslib.cli.catalogs import add_catalog, load_catalog, require_component
from obslib.errors import SettingsError, UsageError
from obslib.settings import SETTINGS, Settings, resolve

if TYPE_CHECKING:
    from obslib.catalog import Catalog
    from obslib.retention.policy import Policy

__all__ = ["add", "doctor"]

_EXTRAS: Mapping[str, str] = {
    "otlp": "opentelemetry.exporter.otlp.proto.http",
    "cli": "typer",
    "postgres": "psycopg",
    "lint": "promql_parser",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is off, or missing, and why."""

    what: str
    why: str
    is_fatal: bool = False


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("doctor", help="print the effective settings, where each came from, what is off and why")
    command.add_argument("component", nargs="?", default="", help="also check what this component needs (such as agent)")
    add_catalog(command)
    command.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    command.set_defaults(run=lambda arguments: doctor(arguments.component, as_json=arguments.json, spelt=arguments.catalog))


def doctor(component: str, *, as_json: bool, spelt: str = "") -> int:
    """Print the effective settings and what is off; returns 1 when ``component`` could not start, else 0.

    ``spelt`` is MODULE:NAME of the catalog that declares the component, empty for the platform's. Raises SettingsError for
    a malformed setting and UsageError for an unknown component or catalog.
    """
    if spelt and not component:
        raise UsageError("--catalog says where a component is declared; name the component too")
    catalog = load_catalog(spelt)
    settings = resolve({})
    findings = list(_findings(component, settings, catalog))
    is_kept = component and not any(finding.what == "retention" for finding in findings)
    policy = _policy(component, settings, catalog) if is_kept else None
    kept, flags = (policy.lines(), policy.prometheus_flags()) if policy else ([], ())
    if as_json:
        shown = {name: {"value": _shown(found.value), "origin": found.origin} for name, found in settings.resolved.items()}
        told = [asdict(finding) for finding in findings]
        document = {"settings": shown, "retention": kept, "prometheus_flags": flags, "findings": told}
        print(json.dumps(document, indent=2))
    else:
        _print_settings(settings)
        for line in kept:
            print(f"{line['key']} = {line['value']}  ({line['source']})")
        for flag in flags:
            print(f"start Prometheus with {flag}")
        for finding in findings:
            print(f"{'MISSING' if finding.is_fatal else 'off':8}{finding.what}: {finding.why}")
    return 1 if any(finding.is_fatal for finding in findings) else 0


def _print_settings(settings: Settings) -> None:
    width = max(len(setting.name) for setting in SETTINGS)
    for setting in SETTINGS:
        found = settings.resolved[setting.name]
        unit = f" {setting.unit}" if setting.unit else ""
        print(f"{setting.name:{width}}  {_shown(found.value)!r}{unit}  ({found.origin})")
    print()


def _findings(component: str, settings: Settings, catalog: Catalog) -> list[Finding]:
    found = []
    if component:
        if require_component(catalog, component).has_node and not settings.node_id:
            found.append(Finding(what="node_id", why=f"{component} runs on a node; set OBSLIB_NODE_ID", is_fatal=True))
        try:
            _policy(component, settings, catalog)
        except SettingsError as error:
            found.append(Finding(what="retention", why=str(error), is_fatal=True))
    if not settings.trace_otlp_endpoint:
        found.append(
            Finding(what="trace export", why="OBSLIB_TRACE_OTLP_ENDPOINT is empty; spans are decided and counted only")
        )
    if not settings.tracing_enabled:
        found.append(Finding(what="tracing", why="OBSLIB_TRACING_ENABLED is off; ids are still made and passed on"))
    if settings.admin_port < 0:
        found.append(Finding(what="admin endpoint", why="OBSLIB_ADMIN_PORT is negative; mount obs.admin_app instead"))
    known = {setting.variable for setting in SETTINGS}
    for variable in sorted(name for name in os.environ if name.startswith("OBSLIB_") and name not in known):
        found.append(Finding(what=variable, why="no setting has this name, so it is ignored"))
    for extra, module in _EXTRAS.items():
        if not _is_installed(module):
            found.append(Finding(what=f"extra {extra}", why=f"not installed; pip install 'platform-obslib[{extra}]'"))
    return found


def _policy(component: str, settings: Settings, catalog: Catalog) -> Policy:
    """The retention policy of a component; raises SettingsError when it could not start for want of one."""
    from obslib.retention.policy import Policy

    return Policy.needed_by(component, catalog=catalog, path=settings.retention_policy)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _shown(value: object) -> object:
    from obslib.redaction import Redactor
    from obslib.tally import Tally

    return Redactor(Tally()).value(value)
