"""Instrumentation for a multi-tenant PaaS: declare a signal once, derive everything from it, prove it.

Start with ``obslib.start(component)``; declare signals with ``obslib.catalog``. Importing this package reads
no environment, starts no thread and imports no extra; each name below is loaded when it is first used, so that a
command that needs only the records does not pay for the runtime.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obslib.catalog import COMMON, Catalog
    from obslib.errors import (
        AccessDenied,
        AddressInUse,
        AlreadyAdopted,
        CardinalityError,
        CatalogError,
        Closed,
        ErrorClass,
        LabelNotAllowed,
        ObslibError,
        SettingsError,
        UnknownSignal,
    )
    from obslib.health import Status, Verdict
    from obslib.redaction import Secret
    from obslib.runtime import Observability, start

__all__ = [
    "COMMON", "AccessDenied", "AddressInUse", "AlreadyAdopted", "CardinalityError", "Catalog", "CatalogError", "Closed",
    "ErrorClass", "LabelNotAllowed", "Observability", "ObslibError", "Secret", "SettingsError", "Status", "UnknownSignal",
    "Verdict", "start",
]  # fmt: skip

_ROOMS = {"COMMON": "catalog", "Catalog": "catalog", "Observability": "runtime", "Secret": "redaction", "Status": "health",
          "Verdict": "health", "start": "runtime"}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'errors')}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
