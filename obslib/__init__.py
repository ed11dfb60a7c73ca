"""Instrumentation for a multi-tenant PaaS: declare a signal once, derive everything from it, prove it.

Start with ``obslib.start(component)``; declare signals with ``obslib.catalog``. Importing this package reads
no environment, starts no thread and imports no extra.
"""

from obslib.catalog import COMMON, Catalog
from obslib.errors import (
    AccessDenied,
    AddressInUse,
    AlreadyAdopted,
    CardinalityError,
    CatalogError,
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
    "COMMON", "AccessDenied", "AddressInUse", "AlreadyAdopted", "CardinalityError", "Catalog", "CatalogError", "ErrorClass",
    "LabelNotAllowed", "Observability", "ObslibError", "Secret", "SettingsError", "Status", "UnknownSignal", "Verdict",
    "start",
]  # fmt: skip
