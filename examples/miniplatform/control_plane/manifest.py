"""What an app's manifest may say; see the examples in ``miniplatform/apps``."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from miniplatform.wire import HealthSpec
from obslib.redaction import Redactor
from obslib.tally import Tally

__all__ = ["Manifest", "ProcessType", "RouteSpec", "secrets_in"]

ProcessType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
_PART = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
Hostname = Annotated[str, StringConstraints(pattern=rf"^{_PART}(\.{_PART})*$", max_length=253)]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=255)]
EnvValue = Annotated[str, StringConstraints(max_length=16_384)]
_LARGEST_MEMORY = 2**40
_REDACTOR = Redactor(Tally())


class _Strict(BaseModel):
    """A misspelt key is refused rather than ignored: the manifest is written by people."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProcessSpec(_Strict):
    """One process type."""

    command: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(min_length=1)
    replicas: int = Field(default=1, strict=True, ge=0, le=50)
    memory_bytes: int = Field(default=134_217_728, strict=True, ge=1_048_576, le=_LARGEST_MEMORY)
    health: HealthSpec = HealthSpec()
    env: dict[EnvName, EnvValue] = {}


class RouteSpec(_Strict):
    """A hostname and listener port that lead to a process type."""

    hostname: Hostname
    listener_port: int = Field(strict=True, ge=1, le=65_535)
    process_type: ProcessType
    protocol: Literal["tcp_raw", "tls_passthrough"] = "tcp_raw"
    proxy_protocol: Literal["off", "v2"] = "off"


class Manifest(_Strict):
    """An app's manifest."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    process: dict[ProcessType, ProcessSpec] = Field(min_length=1)
    route: tuple[RouteSpec, ...] = ()

    @property
    def digest(self) -> str:
        """``sha256:…`` over what it says; equal manifests have equal digests."""
        return f"sha256:{hashlib.sha256(self.model_dump_json().encode()).hexdigest()}"


def secrets_in(manifest: Manifest) -> list[str]:
    """The variables, as ``process.web.env.NAME``, whose name or value is one of a secret."""
    return [
        f"process.{process_type}.env.{name}"
        for process_type, spec in manifest.process.items()
        for name, value in spec.env.items()
        if _REDACTOR.is_secret_name(name) or _REDACTOR.text(value) != value or _REDACTOR.value(value, name) != value
    ]
