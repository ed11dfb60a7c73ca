"""Every setting, in one table: name, type, default, unit and who needs it.

A value comes from the keyword argument of ``start()``, else from ``OBSLIB_<NAME>`` in the environment,
else from the default. ``obslib doctor`` prints which it was. The environment is read when a process
starts, never on import.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from obslib.errors import SettingsError

__all__ = ["SETTINGS", "Setting", "Settings", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting and what it may be. ``needed_by`` lists the components that cannot start without a value.

    ``refused`` says why nothing but the default is taken: what the platform leaves to others can be asked for, and is
    answered in a sentence.
    """

    name: str
    type: Any
    default: Any
    help: str
    unit: str = ""
    needed_by: str = ""
    at_least: float = -inf
    at_most: float = inf
    one_of: tuple[str, ...] = ()
    pattern: str = ""
    refused: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"OBSLIB_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="node_id",
        type=str,
        default="",
        needed_by="components on a node (agent, edge)",
        help="Id of the node this process runs on, node_<ULID>; a constant label and log field.",
    ),
    Setting(
        name="version",
        type=str,
        default="unknown",
        pattern=r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}",
        help="Version of the component, shown in build_info.",
    ),
    Setting(
        name="log_level",
        type=str,
        default="info",
        one_of=("debug", "info", "warn", "error"),
        help="Lowest level written: debug, info, warn or error.",
    ),
    Setting(
        name="log_format",
        type=str,
        default="auto",
        one_of=("auto", "json", "console"),
        help="json, console, or auto: console when standard output is a terminal, else json.",
    ),
    Setting(
        name="log_buffer_lines",
        type=int,
        default=10_000,
        unit="lines",
        at_least=1,
        at_most=10_000_000,
        help="Lines waiting for a slow reader of standard output before new ones are dropped and counted.",
    ),
    Setting(
        name="admin_host",
        type=str,
        default="127.0.0.1",
        help="Address of /metrics, /livez and /readyz; set it to the scrape network's address to open them to it.",
    ),
    Setting(
        name="admin_port",
        type=int,
        default=0,
        at_least=-1,
        at_most=65_535,
        help="Port of /metrics, /livez and /readyz; 0 takes a free one, -1 serves none (mount obs.admin_app instead).",
    ),
    Setting(
        name="trace_success_ratio",
        type=float,
        default=0.05,
        unit="share",
        at_least=0,
        at_most=1,
        help="Share of successful, fast traces that is kept; errors and slow ones are always kept.",
    ),
    Setting(
        name="trace_slow_seconds",
        type=float,
        default=1.0,
        unit="s",
        at_least=0,
        at_most=86_400,
        help="A local trace this long is slow, and kept.",
    ),
    Setting(
        name="trace_otlp_endpoint",
        type=str,
        default="",
        pattern=r"(https?://[^\s/]+\S*)?",
        help="OTLP/HTTP traces endpoint, such as http://127.0.0.1:4318/v1/traces; empty exports nothing.",
    ),
    Setting(
        name="tracing_enabled",
        type=bool,
        default=True,
        help="Off: no spans are recorded; ids are still made, logged and passed on (TRC-12).",
    ),
    Setting(
        name="tenant_metrics_enabled",
        type=bool,
        default=False,
        refused="the platform collects no metrics of workloads; let these send their own, specs/external-telemetry.md",
        help="Metrics of workloads are optional (TEN-02): the platform works without them, and collects none.",
    ),
    Setting(
        name="tenant_traces_enabled",
        type=bool,
        default=False,
        refused="the platform collects no traces of workloads; let these send their own, specs/external-telemetry.md",
        help="Traces of workloads are optional (TEN-02): the platform works without them, and collects none.",
    ),
    Setting(
        name="retention_policy",
        type=str,
        default="",
        needed_by="components that keep records (control-plane)",
        help="Path of the retention policy, a TOML file with a value for every retention key (specs/retention.md).",
    ),
    Setting(
        name="close_timeout_s",
        type=float,
        default=5.0,
        unit="s",
        at_least=0,
        at_most=3_600,
        help="Longest close() may take to flush.",
    ),
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A setting's effective value and where it came from: argument, environment or default."""

    value: Any
    origin: str


class Settings:
    """The effective settings of one process, read as attributes."""

    def __init__(self, resolved: Mapping[str, Resolved]) -> None:
        self.resolved = dict(resolved)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["resolved"][name].value
        except KeyError:
            raise AttributeError(f"there is no setting {name!r}; see obslib.settings.SETTINGS") from None


def resolve(arguments: Mapping[str, object], environment: Mapping[str, str] | None = None) -> Settings:
    """Read every setting of the table; raises SettingsError with the name, the value and where it was read.

    An argument of ``None`` counts as not given.
    """
    env = os.environ if environment is None else environment
    known = {setting.name for setting in SETTINGS}
    for name in arguments:
        if name not in known:
            raise SettingsError(f"there is no setting {name!r}; start() knows {', '.join(sorted(known))}")
    return Settings({setting.name: _resolve(setting, arguments, env) for setting in SETTINGS})


def _resolve(setting: Setting, arguments: Mapping[str, object], env: Mapping[str, str]) -> Resolved:
    given = arguments.get(setting.name)
    if given is not None:
        return Resolved(_parse(setting, given, "argument"), "argument")
    if setting.variable in env:
        return Resolved(_parse(setting, env[setting.variable], setting.variable), f"environment {setting.variable}")
    return Resolved(setting.default, "default")


def _parse(setting: Setting, raw: object, where: str) -> Any:
    from pydantic import TypeAdapter, ValidationError

    try:
        if isinstance(raw, bool) and setting.type is not bool:
            raise ValueError
        value = TypeAdapter(setting.type).validate_python(raw)
    except (ValidationError, ValueError):
        wanted = setting.type.__name__ + (f" in {setting.unit}" if setting.unit else "")
        raise SettingsError(f"setting {setting.name!r} from {where} is {raw!r}, which is not a valid {wanted}") from None
    _check(setting, value, where)
    return value


def _check(setting: Setting, value: Any, where: str) -> None:
    if setting.refused and value != setting.default:
        raise SettingsError(f"setting {setting.name!r} from {where} is {value!r}; {setting.refused}")
    if setting.one_of and value not in setting.one_of:
        wanted = f"one of {', '.join(setting.one_of)}"
    elif setting.pattern and not re.fullmatch(setting.pattern, value):
        wanted = f"of the form {setting.pattern}"
    elif setting.type in (int, float) and not setting.at_least <= value <= setting.at_most:
        wanted = f"from {setting.at_least:g} to {setting.at_most:g}"
    else:
        return
    raise SettingsError(f"setting {setting.name!r} from {where} is {value!r}; it must be {wanted}")
