"""Labels and the sets their values come from.

A label's domain is what makes a series budget provable, so it is declared apart from
the families that use it: *closed* (every value is written down), *budgeted* (open, but
never more than N values in one process) or *constant* (one value per process). Names in
``FORBIDDEN`` are refused wherever they appear (requirements §2, CARD-01).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from obslib.errors import CatalogError, LabelNotAllowed

__all__ = ["FORBIDDEN", "OVERFLOW", "Domain", "Joint", "Label", "LabelUse", "Measure", "Pairs", "Source"]

OVERFLOW = "_other"
"""What a value outside its domain becomes."""

FORBIDDEN = frozenset({
    "hostname", "url", "path", "query", "user_id", "email", "actor_id", "ip", "request_id", "trace_id",
    "span_id", "idempotency_key", "error_message", "image", "digest", "volume_id", "deploy_id",
    "release_id", "event_id", "session_id", "instance_id",
})  # fmt: skip
"""Names no label may have; ``instance_id`` is reachable only through ``InstanceMetric`` (CARD-02)."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


class Domain(StrEnum):
    """How the values of a label are bounded."""

    CLOSED = "closed"
    BUDGETED = "budgeted"


class Source(StrEnum):
    """Which of the catalog's own name sets closes a label, for labels that speak of the catalog itself."""

    LOOPS = "loops"
    CHECKS = "checks"
    FAMILIES = "families"
    LABELS = "labels"
    MEASURED = "measured"


class Pairs(Enum):
    """Which pairs of the catalog's own names close a joint domain, and where each of its labels takes its names from."""

    CARRIED = (Source.FAMILIES, Source.LABELS)


class Measure(StrEnum):
    """What a platform's size is told in, and what the values of a label may name."""

    NODES = "nodes"
    EDGES = "edges"
    ORGS = "orgs"
    ENVS = "envs"
    ROUTES = "routes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A metric label and the bound on its values.

    ``at_most`` is the largest number of values one process may hold. A closed label lists its
    ``values``, takes them from the catalog (``source``), or leaves them to each family's
    ``Literal`` annotation, which may hold at most ``at_most``. A label that ``determines``
    others adds no series for them: ``env_id`` determines ``org_id``.
    ``id_prefix`` names the id the label holds; without it, id-shaped values are refused. ``counts`` says what a
    platform has one value of the label for, ``quota`` which quota of an org limits how many of them there are.
    ``is_per_instance`` marks the one label that only an ``InstanceMetric`` may carry (CARD-02).
    """

    name: str
    domain: Domain
    at_most: int
    why: str
    values: tuple[str, ...] = ()
    source: Source | None = None
    determines: tuple[str, ...] = ()
    id_prefix: str = ""
    pattern: str = ""
    counts: tuple[Measure, ...] = ()
    quota: str = ""
    is_per_instance: bool = False

    def __post_init__(self) -> None:
        if self.name in FORBIDDEN and not (self.is_per_instance and self.name == "instance_id"):
            raise LabelNotAllowed(
                f"label {self.name!r} is forbidden because its values are unbounded; "
                "write it to a log line or show it in a describe command instead (CARD-01, CARD-07)"
            )
        if not _NAME.match(self.name):
            raise CatalogError(f"label name {self.name!r} must be lower_snake_case")
        if self.at_most < 1:
            raise CatalogError(f"label {self.name!r} needs at_most >= 1, not {self.at_most!r}")
        if self.name in self.determines:
            raise CatalogError(f"label {self.name!r} cannot determine itself; leave it out of determines=")
        if len(self.values) > self.at_most:
            raise CatalogError(
                f"label {self.name!r} lists {len(self.values)} values but allows {self.at_most}; raise at_most or drop values"
            )

    @staticmethod
    def closed(name: str, *values: str, at_most: int = 0, source: Source | None = None, why: str = "closed set") -> Label:
        """Declare a label whose every value is known before the process runs."""
        return Label(
            name=name, domain=Domain.CLOSED, values=values, at_most=at_most or len(values) or 1, source=source, why=why
        )

    @staticmethod
    def budgeted(
        name: str,
        at_most: int,
        *,
        why: str,
        determines: tuple[str, ...] = (),
        id_prefix: str = "",
        pattern: str = "",
        counts: tuple[Measure, ...] = (),
        quota: str = "",
    ) -> Label:
        """Declare an open label that holds at most ``at_most`` values in one process; surplus folds into ``_other``."""
        return Label(
            name=name,
            domain=Domain.BUDGETED,
            at_most=at_most,
            why=why,
            determines=determines,
            id_prefix=id_prefix,
            pattern=pattern,
            counts=counts,
            quota=quota,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """Labels whose combinations, not whose values, are bounded.

    At most ``at_most`` combinations are admitted in one process, plus ``reserved`` ones that always
    have room (one ``unmatched`` per HTTP method, say); past that the whole group becomes ``_other``.
    With ``at_most`` 0 the reserved combinations are all there are. With a ``source`` those are reserved that the
    catalog has in the component at hand (``Catalog.joint``), and there are no others.
    """

    name: str
    labels: tuple[str, ...]
    at_most: int
    why: str
    reserved: tuple[tuple[str, ...], ...] = ()
    source: Pairs | None = None

    def __post_init__(self) -> None:
        if len(self.labels) < 2:
            raise CatalogError(f"joint domain {self.name!r} needs at least two labels")
        if self.source is not None and (self.at_most or self.reserved):
            raise CatalogError(
                f"joint domain {self.name!r} takes its combinations from the catalog; give it at_most=0 and no reserved="
            )
        for combination in self.reserved:
            if len(combination) != len(self.labels):
                raise CatalogError(f"joint domain {self.name!r}: {combination!r} does not match labels {self.labels!r}")

    @property
    def bound(self) -> int:
        """The largest number of combinations a process can hold, the overflow group included."""
        return self.at_most + len(self.reserved) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelUse:
    """A label as one family uses it: the closed values may be narrowed by the family's annotation."""

    label: Label
    values: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The label's name."""
        return self.label.name
