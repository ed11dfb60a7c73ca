"""The manifest: a TOML file that says what an app's processes and routes should be.

It is checked whole before the first call, by the rules of the control plane: a deploy that is refused half-way
leaves an app, an env and a release behind that nobody asked for.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from obslib.cli.platform.failure import Category, CliFailure

__all__ = ["Manifest", "RouteEntry", "load"]

ProcessType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
_PART = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
Hostname = Annotated[str, StringConstraints(pattern=rf"^{_PART}(\.{_PART})*$", max_length=253)]
_LARGEST = 262_144
_MIB, _TIB = 1 << 20, 1 << 40


def _without_nul(text: str) -> str:
    """``text``, if a process can be given it; raises ValueError."""
    if "\0" in text:
        raise ValueError("it holds a NUL character, which no process can be given")
    return text


def _variable(name: str) -> str:
    """``name``, if it can be that of an environment variable; raises ValueError."""
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"{name!r} is no name of an environment variable; use letters, digits and _")
    return name


Text = Annotated[str, AfterValidator(_without_nul)]
Value = Annotated[str, Field(max_length=16_384), AfterValidator(_without_nul)]
Variable = Annotated[str, Field(max_length=255), AfterValidator(_variable)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HealthEntry(_Entry):
    """How the platform tells that a process is well."""

    type: Literal["http", "tcp"] = "tcp"
    path: Text = "/"


class ProcessEntry(_Entry):
    """One process type."""

    command: Annotated[list[Annotated[Text, Field(min_length=1)]], Field(min_length=1)]
    replicas: Annotated[int, Field(strict=True, ge=0, le=50)] = 1
    memory_bytes: Annotated[int, Field(strict=True, ge=_MIB, le=_TIB)] = 134_217_728
    health: HealthEntry = HealthEntry()
    env: Mapping[Variable, Value] = Field(default_factory=dict)


class RouteEntry(_Entry):
    """A hostname and listener port for a process type."""

    hostname: Hostname
    listener_port: Annotated[int, Field(strict=True, ge=1, le=65_535)]
    process_type: ProcessType
    protocol: Literal["tcp_raw", "tls_passthrough"] = "tcp_raw"
    proxy_protocol: Literal["off", "v2"] = "off"


class Manifest(_Entry):
    """A whole manifest. ``name`` is the app; ``org`` and ``env`` may stand for flags and are not part of the release."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    org: str = ""
    env: str = ""
    process: Annotated[Mapping[ProcessType, ProcessEntry], Field(min_length=1)]
    route: list[RouteEntry] = Field(default_factory=list)

    @property
    def target(self) -> dict[str, str]:
        """Whom the manifest is meant for."""
        return {"org": self.org, "app": self.name, "env": self.env}

    def content(self) -> dict[str, Any]:
        """What a release is made of: everything but the target."""
        return self.model_dump(mode="json", exclude={"org", "env"})

    def digest(self) -> str:
        """64 hex digits that are the same for the same content."""
        return hashlib.sha256(json.dumps(self.content(), sort_keys=True).encode()).hexdigest()


def load(path: Path) -> Manifest:
    """Read and check a manifest; raises CliFailure that names the first thing wrong with it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        why = "there is no file" if isinstance(error, FileNotFoundError) else (error.strerror or "it cannot be read").lower()
        raise _refused(f"the manifest {str(path)!r} cannot be read: {why}", "give the path of a TOML manifest") from None
    if len(content) > _LARGEST:
        raise _refused(f"the manifest {str(path)!r} is {len(content)} bytes; at most {_LARGEST} are taken")
    try:
        manifest = Manifest.model_validate(tomllib.loads(content.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"] if part != "[key]") or "the manifest"
        raise _refused(
            f"the manifest {str(path)!r} is wrong at {where}: {first['msg'].removeprefix('Value error, ')}"
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise _refused(f"the manifest {str(path)!r} is not valid TOML: {error}") from None
    for where, what in _mistaken_routes(manifest):
        raise _refused(f"the manifest {str(path)!r} is wrong at {where}: {what}")
    return manifest


def _mistaken_routes(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Where routes contradict the processes or each other, and how."""
    bound: dict[int, list[RouteEntry]] = {}
    for place, entry in enumerate(manifest.route):
        if entry.process_type not in manifest.process:
            yield f"route.{place}.process_type", f"the manifest has no process {entry.process_type!r}"
        before = bound.setdefault(entry.listener_port, [])
        if any(other.hostname == entry.hostname for other in before):
            yield f"route.{place}", f"{entry.hostname}:{entry.listener_port} is bound twice"
        if before and "tcp_raw" in (entry.protocol, before[0].protocol):
            shared = f"port {entry.listener_port} is bound twice; a tcp_raw route shares its port with no other"
            yield f"route.{place}.listener_port", shared
        before.append(entry)


def _refused(message: str, hint: str = "") -> CliFailure:
    return CliFailure(Category.INVALID_USAGE, message, hint=hint)
