"""Declarations that the budget's tests bring into their bounds and out of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from obslib.catalog import COMMON, Catalog, Component, Declaration, Family, Joint, Label, Plane, counter

ENV = Label.budgeted("env_id", 1_000, id_prefix="env", why="environments")
ORG = Label.budgeted("org_id", 500, id_prefix="org", why="customers")
ENV_OF_ORG = Label.budgeted("env_id", 1_000, id_prefix="env", determines=("org_id",), why="environments")
CUSTOMER = Label.budgeted("customer", 5_000, why="customers")
SHELF = Label.budgeted("shelf", 60, why="shelves")
KIND = Label.closed("kind", at_most=5)
SPOTS = Joint(name="spots", labels=("env_id", "shelf"), at_most=256, why="spots in use")

Kind = Annotated[Literal["a", "b", "c"], KIND]


def plain() -> None:
    """Help."""


def by_kind(*, kind: Kind) -> None:
    """Help."""


def by_customer(*, customer: Annotated[str, CUSTOMER], kind: Kind) -> None:
    """Help."""


def by_org(*, env_id: Annotated[str, ENV], org_id: Annotated[str, ORG]) -> None:
    """Help."""


def by_env_of_org(*, env_id: Annotated[str, ENV_OF_ORG], org_id: Annotated[str, ORG]) -> None:
    """Help."""


def by_shelf(*, env_id: Annotated[str, ENV], shelf: Annotated[str, SHELF]) -> None:
    """Help."""


def by_env(*, env_id: Annotated[str, ENV]) -> None:
    """Help."""


def a_counter(signature: Callable[..., None], *joints: Joint, name: str = "x_total") -> Family[...]:
    """A counter of that signature."""
    return counter(name, serves=("T",), joints=joints)(signature)


def a_shop(*signals: Declaration, components: tuple[str, ...] = ("shop",)) -> Catalog:
    """A catalog with these signals in each of the components."""
    return Catalog("shop", components=[Component(name=name, plane=Plane.COMMON) for name in components], signals=signals)


def a_real_shop(*signals: Declaration) -> Catalog:
    """The same, with what every process has."""
    return COMMON.extend("shop", components=[Component(name="shop", plane=Plane.COMMON)], signals=signals)
