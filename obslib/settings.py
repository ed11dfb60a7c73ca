"""Every setting, in one table: name, type, default, unit and who needs it.

A value comes from the keyword argument of ``start()``, else from ``OBSLIB_<NAME>`` in the environment,
else from the default. ``obslib doctor`` prints which it was. The environment is read when a process
starts, never on import.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from obslib.errors import SettingsError

__all__ = ["SETTINGS", "Setting", "Settings", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. ``needed_by`` lists the components that cannot start without a value."""

    name: str
    type: Any
    default: Any
    help: str
    unit: str = ""
    needed_by: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"OBSLIB_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting(name="node_id", type=str, default="", needed_by="components on a node (agent, edge)",
            help="Id of the node this process runs on, node_<ULID>; a constant label and log field."),
    Setting(name="version", type=str, default="unknown", help="Version of the component, shown in build_info."),
    Setting(name="log_level", type=str, default="info", help="Lowest level written: debug, info, warn or error."),
    Setting(name="log_format", type=str, default="auto",
            help="json, console, or auto: console when standard output is a terminal, else json."),
    Setting(name="log_buffer_lines", type=int, default=10_000, unit="lines",
            help="Lines waiting for a slow reader of standard output before new ones are dropped and counted."),
    Setting(name="admin_host", type=str, default="127.0.0.1",
            help="Address of /metrics, /livez and /readyz; set it to the scrape network's address to open them to it."),
    Setting(name="admin_port", type=int, default=0,
            help="Port of /metrics, /livez and /readyz; 0 takes a free one, -1 serves none (mount obs.admin_app instead)."),
    Setting(name="trace_success_ratio", type=float, default=0.05, unit="share",
            help="Share of successful, fast traces that is kept; errors and slow ones are always kept."),
    Setting(name="trace_slow_seconds", type=float, default=1.0, unit="s", help="A local trace this long is slow, and kept."),
    Setting(name="trace_otlp_endpoint", type=str, default="",
            help="OTLP/HTTP traces endpoint, such as http://127.0.0.1:4318/v1/traces; empty exports nothing."),
    Setting(name="tracing_enabled", type=bool, default=True,
            help="Off: no spans are recorded; ids are still made, logged and passed on (TRC-12)."),
    Setting(name="close_timeout_s", type=float, default=5.0, unit="s", help="Longest close() may take to flush."),
)  # fmt: skip

_LEVELS = ("debug", "info", "warn", "error")
_FORMATS = ("auto", "json", "console")


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
    settings = Settings({setting.name: _resolve(setting, arguments, env) for setting in SETTINGS})
    _require_one_of("log_level", settings.log_level, _LEVELS)
    _require_one_of("log_format", settings.log_format, _FORMATS)
    if not 0.0 <= settings.trace_success_ratio <= 1.0:
        raise SettingsError(f"trace_success_ratio is {settings.trace_success_ratio!r}; it is a share from 0 to 1")
    return settings


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
        return TypeAdapter(setting.type).validate_python(raw)
    except ValidationError:
        wanted = setting.type.__name__ + (f" in {setting.unit}" if setting.unit else "")
        raise SettingsError(f"setting {setting.name!r} from {where} is {raw!r}, which is not a valid {wanted}") from None


def _require_one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"setting {name!r} is {value!r}; use one of {', '.join(allowed)}")
