"""The manifest: a TOML file that says what an app's processes and routes should be."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from obslib.cli.platform.failure import Category, CliFailure

__all__ = ["Manifest", "RouteEntry", "load"]

ProcessType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
_LARGEST = 262_144


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HealthEntry(_Entry):
    """How the platform tells that a process is well."""

    type: Literal["http", "tcp"] = "tcp"
    path: str = "/"


class ProcessEntry(_Entry):
    """One process type."""

    command: Annotated[list[str], Field(min_length=1)]
    replicas: Annotated[int, Field(ge=0)] = 1
    memory_bytes: Annotated[int, Field(gt=0)] = 134_217_728
    health: HealthEntry = HealthEntry()
    env: Mapping[str, str] = Field(default_factory=dict)


class RouteEntry(_Entry):
    """A hostname and listener port for a process type."""

    hostname: Annotated[str, Field(min_length=1, max_length=253)]
    listener_port: Annotated[int, Field(ge=1, le=65_535)]
    process_type: ProcessType
    protocol: Literal["tcp_raw", "tls_passthrough"] = "tcp_raw"
    proxy_protocol: Literal["off", "v2"] = "off"


class Manifest(_Entry):
    """A whole manifest. ``name`` is the app; ``org`` and ``env`` may stand for flags and are not part of the release."""

    name: Annotated[str, Field(min_length=1, max_length=63)]
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
        return Manifest.model_validate(tomllib.loads(content.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the manifest"
        raise _refused(f"the manifest {str(path)!r} is wrong at {where}: {first['msg']}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise _refused(f"the manifest {str(path)!r} is not valid TOML: {error}") from None


def _refused(message: str, hint: str = "") -> CliFailure:
    return CliFailure(Category.INVALID_USAGE, message, hint=hint)
