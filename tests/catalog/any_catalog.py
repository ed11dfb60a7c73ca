"""Catalogs and label values that nobody wrote: small ones of every kind of domain, and whatever a caller may hand over."""

from __future__ import annotations

from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from obslib.catalog import (
    COMMON,
    Catalog,
    Component,
    Counter,
    Domain,
    Family,
    Gauge,
    Histogram,
    InstanceMetric,
    Joint,
    Label,
    LabelUse,
    Loop,
    Measure,
    Plane,
    Source,
    SpanKind,
)
from obslib.catalog.common import METRIC_LABEL_OVERFLOW
from obslib.errors import CatalogError
from obslib.ids import ulid
from tests.catalog.brim import in_shape

__all__ = ["Step", "catalogs", "own", "steps"]

SHOP = Component(name="shop", plane=Plane.COMMON)
NAMES = ("a", "b", "c", "d", "e")
SHAPES = ({}, {"id_prefix": "org"}, {"pattern": r"[a-z][a-z0-9-]{0,31}"}, {"pattern": r"[0-9]{1,5}"})


class Step:
    """One thing that happens to ``family``: ``what`` with ``labels`` and ``value``."""

    def __init__(self, what: str, family: Family[...], labels: dict[str, Any], value: Any) -> None:
        self.what, self.family, self.labels, self.value = what, family, labels, value

    def __repr__(self) -> str:
        return f"{self.what} {self.family.name} {self.labels} {self.value!r}"


def no_labels() -> None:
    """The signature of a family that only a test calls."""


SPAN = SpanKind(name="oven.turn", help="Work.", plane=Plane.COMMON, serves=("T",), signature=no_labels, fields=())
LOOPS = tuple(Loop(name=name, help="Work.", plane=Plane.COMMON, serves=("T",), span=SPAN) for name in ("knead", "bake"))


@st.composite
def _labels(draw: st.DrawFn) -> tuple[Label, ...]:
    """Five labels: closed, open in every shape, by the catalog's own names, some determining others."""
    found = []
    for position, name in enumerate(NAMES):
        others = NAMES[position + 1 :]
        determines = tuple(draw(st.lists(st.sampled_from(others), unique=True, max_size=2))) if others else ()
        domain = draw(st.sampled_from(("closed", "open", "open", "source")))
        if domain == "open":
            shape, counts = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(((), (Measure.ENVS,))))
            at_most = draw(st.integers(1, 3))
            found.append(Label.budgeted(name, at_most, why="any", determines=determines, counts=counts, **shape))
        elif domain == "source":
            source = draw(st.sampled_from((Source.LOOPS, Source.LABELS, Source.CHECKS)))
            found.append(Label.closed(name, at_most=64, source=source))
        else:
            values = [f"{name}{number}" for number in range(draw(st.integers(1, 3)))]
            found.append(
                Label(name=name, domain=Domain.CLOSED, at_most=3, values=tuple(values), why="any", determines=determines)
            )
    return tuple(found)


@st.composite
def _joints(draw: st.DrawFn, labels: tuple[Label, ...]) -> tuple[Joint, ...]:
    """At most one joint domain; over closed labels alone, one without places beside the reserved, which no other could fill."""
    chosen = [label for label in labels if label.source is None]
    chosen = draw(st.lists(st.sampled_from(chosen), unique=True, min_size=2, max_size=3)) if len(chosen) > 1 else []
    if not chosen or draw(st.booleans()):
        return ()
    is_open = any(label.domain is Domain.BUDGETED for label in chosen)
    kept = tuple(label.values[0] if label.values else in_shape(label, 99) for label in chosen)
    return (
        Joint(
            name="j",
            labels=tuple(label.name for label in chosen),
            at_most=draw(st.integers(1, 4)) if is_open else 0,
            reserved=draw(st.sampled_from(((), (kept,)))) if is_open else (kept,),
            why="any",
        ),
    )


@st.composite
def _family(draw: st.DrawFn, number: int, pool: tuple[Label, ...]) -> Family[...]:
    own = tuple(draw(st.lists(st.sampled_from(pool), unique=True, max_size=3)))
    uses = tuple(LabelUse(label=label, values=label.values[: draw(st.integers(1, 3))]) for label in own)
    shared: dict[str, Any] = {
        "help": "Anything.", "plane": Plane.COMMON, "serves": ("T",), "signature": no_labels, "labels": uses,
        "joints": draw(_joints(own)),
    }  # fmt: skip
    match draw(st.sampled_from(("counter", "gauge", "histogram"))):
        case "counter":
            return Counter(name=f"f{number}_total", **shared)
        case "gauge":
            return Gauge(name=f"f{number}", **shared)
    buckets = (0.1, 1.0, 10.0)[: draw(st.integers(1, 3))]
    return Histogram(name=f"f{number}_seconds", buckets=buckets, **shared)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """A catalog for component ``shop``; one that could not keep its budget is not built, so it is not drawn."""
    pool = draw(_labels())
    families = [draw(_family(number, pool)) for number in range(draw(st.integers(1, 4)))]
    cap = draw(st.integers(1, 4))
    instance = Label(
        name="instance_id", domain=Domain.BUDGETED, at_most=cap + 1, id_prefix="inst", why="quota", is_per_instance=True
    )
    per_instance = InstanceMetric(
        name="per_instance", help="Of one instance.", plane=Plane.COMMON, serves=("T",), signature=no_labels,
        labels=(LabelUse(label=instance),), quota="q", max_series=cap, aggregate=families[0], sample=draw(st.integers(1, 2)),
    )  # fmt: skip
    try:
        return COMMON.extend("shop", components=(SHOP,), signals=(*families, per_instance, SPAN, *LOOPS))
    except CatalogError:
        reject()


class Unprintable:
    """An object that refuses to be text, a number or a key."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __float__(self) -> float:
        raise RuntimeError("no number")

    def __hash__(self) -> int:
        raise RuntimeError("no key")

    def __repr__(self) -> str:
        return "Unprintable()"


class Chameleon(str):
    """Text that says it is equal to everything."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


IN_DOMAIN = st.one_of(
    st.sampled_from([f"{name}{number}" for name in NAMES for number in range(3)]),
    st.integers(0, 5).map(lambda number: f"v{number}"),
    st.integers(0, 5).map(lambda number: f"org_{ulid(number, number)}"),
    st.integers(0, 9).map(lambda number: f"inst_{ulid(number, number)}"),
    st.integers(0, 5).map(lambda number: str(8_000 + number)),
    st.sampled_from(["knead", "bake", "a", "b", "_other"]),
)
HOSTILE = st.one_of(
    st.text(max_size=6),
    st.builds(Unprintable),
    st.sampled_from([
        "", "db.example.com", "10.0.0.1", "a@b.example", "https://x", "x" * 5_000, "\ud800", 'a"b\\c\nd', " a0", "A0", "+Inf",
        Chameleon("a0"), Chameleon("zz"), None, True, 1, -1, 1.5, float("nan"), b"a0", ["a0"], ("a0",), {}, object,
    ]),
)  # fmt: skip
VALUES = st.one_of(IN_DOMAIN, IN_DOMAIN, HOSTILE)
AMOUNTS = st.sampled_from((1, 0.5, 2, 0, -1, float("nan"), float("inf"), None, "1", 2**1100))
KINDS = ("record", "record", "record", "record", "remove", "forget", "source", "replace", "scrape")


@st.composite
def _step(draw: st.DrawFn, families: tuple[Family[...], ...]) -> Step:
    family = draw(st.sampled_from(families))
    names = family.label_names if draw(st.integers(0, 9)) else (*family.label_names[1:], "unknown")
    amount = draw(st.one_of(AMOUNTS, AMOUNTS, AMOUNTS, st.builds(Unprintable)))
    labels = {name: draw(VALUES) for name in names}
    return Step(draw(st.sampled_from(KINDS)), family, labels, amount)


def own(catalog: Catalog) -> tuple[Family[...], ...]:
    """The families that ``catalog`` has beside the common ones, and the one that counts pairs of a family and its labels."""
    return tuple(f for f in catalog.of(Family, "shop") if f not in COMMON.signals or f is METRIC_LABEL_OVERFLOW)


def steps(catalog: Catalog) -> st.SearchStrategy[list[Step]]:
    """Up to forty things that a careless component may do to the families of ``catalog``."""
    return st.lists(_step(own(catalog)), min_size=15, max_size=40)
