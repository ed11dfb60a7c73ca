"""Label values past their domain become ``_other``, together with what they determine, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest

from obslib.catalog import COMMON, Component, Joint, Label, Plane, counter, gauge
from obslib.catalog.common import METRIC_LABEL_OVERFLOW, METRIC_LABEL_REJECTIONS
from obslib.ids import ulid
from obslib.metrics import admission
from obslib.metrics.domains import Slots

Rig = Callable[..., Any]

SHELF = Label.budgeted("shelf", 3, why="shelves in the shop")
ORG = Label.budgeted("org_id", 2, id_prefix="org", why="customers")
ENV = Label.budgeted("env_id", 3, id_prefix="env", determines=("org_id",), why="environments")
PROCESS = Label.budgeted("process_type", 8, pattern=r"[a-z][a-z0-9-]{0,31}", why="manifest names")
QUALITY = Label.closed("quality", "good", "bad")
ROW = Label.closed("row", "a", "b")
SPOTS = Joint(name="spots", labels=("row", "shelf"), at_most=2, reserved=(("a", "lost"),), why="spots in use")
PLACED = Joint(name="placed", labels=("env_id", "process_type"), at_most=2, why="groups on the node")

Quality = Annotated[Literal["good", "bad"], QUALITY]


@counter("sold_total", serves=("T",))
def SOLD(*, shelf: Annotated[str, SHELF], quality: Quality) -> None:
    """Things sold."""


@gauge("stock", serves=("T",))
def STOCK(*, shelf: Annotated[str, SHELF]) -> None:
    """Things in stock."""


@counter("moved_total", serves=("T",), joints=(SPOTS,))
def MOVED(*, row: Annotated[Literal["a", "b"], ROW], shelf: Annotated[str, SHELF], quality: Quality) -> None:
    """Things moved."""


@counter("billed_total", serves=("T",))
def BILLED(*, env_id: Annotated[str, ENV], org_id: Annotated[str, ORG]) -> None:
    """Things billed."""


@counter("ran_total", serves=("T",), joints=(PLACED,))
def RAN(*, env_id: Annotated[str, ENV], process_type: Annotated[str, PROCESS], org_id: Annotated[str, ORG]) -> None:
    """Things run."""


SIGNALS = (SOLD, STOCK, MOVED, BILLED, RAN)


def an_id(prefix: str, number: int) -> str:
    """A well-formed id."""
    return f"{prefix}_{ulid(number, number)}"


def test_surplus_values_fold_and_the_other_labels_stay_true(rig: Rig) -> None:
    """The fourth shelf is ``_other``, its quality is not, and the overflow is counted where it happened."""
    r = rig(*SIGNALS)
    for shelf in ("s1", "s2", "s3", "s4", "s5"):
        r.registry[SOLD].labels(shelf=shelf, quality="bad").inc()
    assert r.samples(SOLD) == {("s1", "bad"): 1, ("s2", "bad"): 1, ("s3", "bad"): 1, ("_other", "bad"): 2}
    assert r.counted(METRIC_LABEL_OVERFLOW) == {("sold_total", "shelf"): 2}


def test_a_domain_belongs_to_the_process(rig: Rig) -> None:
    """Families that share a label share its places: a value is true everywhere or ``_other`` everywhere."""
    r = rig(*SIGNALS)
    for shelf in ("s1", "s2", "s3"):
        r.registry[SOLD].labels(shelf=shelf, quality="good").inc()
    r.registry[STOCK].labels(shelf="s4").set(1)
    r.registry[STOCK].labels(shelf="s1").set(2)
    assert r.samples(STOCK) == {("_other",): 1, ("s1",): 2}


def label_bomb(r: Any) -> dict[tuple[str, ...], float]:
    """Throw many values at a family and return what is exposed."""
    for number in range(2_000):
        r.registry[SOLD].labels(shelf=f"s{number}", quality="good").inc()
    return r.samples(SOLD)


def test_a_label_bomb_stays_under_the_cap_with_the_total_exact(rig: Rig) -> None:
    """However many values come, there are the admitted ones and ``_other``, and nothing is lost."""
    exposed = label_bomb(rig(*SIGNALS))
    assert len(exposed) == 3 + 1
    assert sum(exposed.values()) == 2_000


def test_the_bomb_catches_a_mutant_without_admission(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """With domains that always have room the same bomb goes far past the cap."""
    monkeypatch.setattr(Slots, "has_room", lambda self, key: True)
    with pytest.raises(AssertionError):
        assert len(label_bomb(rig(*SIGNALS))) == 3 + 1


def test_undeclared_values_of_a_closed_label_fold(rig: Rig) -> None:
    """A closed label holds what is written down; anything else is ``_other``, counted, and the shelf stays true."""
    r = rig(*SIGNALS)
    r.registry[SOLD].labels(shelf="s1", quality="splendid").inc()
    assert r.counted(SOLD) == {("s1", "_other"): 1}
    assert r.counted(METRIC_LABEL_OVERFLOW) == {("sold_total", "quality"): 1}


def test_a_joint_domain_folds_as_a_group(rig: Rig) -> None:
    """Past its pairs both labels of a joint are ``_other``; reserved pairs always have room; the quality stays true."""
    r = rig(*SIGNALS)
    for row, shelf in (("a", "s1"), ("b", "s1"), ("a", "s2"), ("a", "lost"), ("z", "s1")):
        r.registry[MOVED].labels(row=row, shelf=shelf, quality="bad").inc()
    assert r.samples(MOVED) == {
        ("a", "s1", "bad"): 1,
        ("b", "s1", "bad"): 1,
        ("a", "lost", "bad"): 1,
        ("_other", "_other", "bad"): 2,
    }
    assert r.counted(METRIC_LABEL_OVERFLOW) == {("moved_total", "shelf"): 1, ("moved_total", "row"): 1}


def test_what_a_folded_label_determines_folds_with_it(rig: Rig) -> None:
    """The environment past its domain takes its org along."""
    r = rig(*SIGNALS)
    orgs = [an_id("org", 1), an_id("org", 1), an_id("org", 2), an_id("org", 2)]
    for number, org in enumerate(orgs):
        r.registry[BILLED].labels(env_id=an_id("env", number), org_id=org).inc()
    assert r.samples(BILLED) == {
        (an_id("env", 0), orgs[0]): 1,
        (an_id("env", 1), orgs[1]): 1,
        (an_id("env", 2), orgs[2]): 1,
        ("_other", "_other"): 1,
    }


def test_a_determined_label_past_its_own_domain_folds_alone(rig: Rig) -> None:
    """The third org is ``_other`` while its environment stays true, and stays so as long as the series lives."""
    r = rig(*SIGNALS)
    billed = r.registry[BILLED]
    for number in (1, 2, 3):
        billed.labels(env_id=an_id("env", number), org_id=an_id("org", number)).inc()
    billed.remove(env_id=an_id("env", 1), org_id=an_id("org", 1))
    billed.labels(env_id=an_id("env", 3), org_id=an_id("org", 3)).inc()
    assert r.samples(BILLED) == {(an_id("env", 2), an_id("org", 2)): 1, (an_id("env", 3), "_other"): 2}
    assert r.counted(METRIC_LABEL_OVERFLOW) == {("billed_total", "org_id"): 1}


def test_an_environment_has_one_org(rig: Rig) -> None:
    """A second org for one environment contradicts what is known and folds; a missing org takes the known one."""
    r = rig(*SIGNALS)
    billed, env = r.registry[BILLED], an_id("env", 1)
    billed.labels(env_id=env, org_id=an_id("org", 1)).inc()
    billed.labels(env_id=env, org_id=an_id("org", 2)).inc()
    billed.labels(env_id=env, org_id="_other").inc()
    assert r.samples(BILLED) == {(env, an_id("org", 1)): 2, ("_other", "_other"): 1}


def test_a_joint_takes_along_what_its_labels_determine(rig: Rig) -> None:
    """Past its groups a joint domain folds the org with the environment and the process type."""
    r = rig(*SIGNALS)
    for number in (1, 2, 3):
        r.registry[RAN].labels(env_id=an_id("env", 1), process_type=f"p{number}", org_id=an_id("org", 1)).inc()
    assert r.samples(RAN) == {
        (an_id("env", 1), "p1", an_id("org", 1)): 1,
        (an_id("env", 1), "p2", an_id("org", 1)): 1,
        ("_other", "_other", "_other"): 1,
    }


def test_removal_frees_the_place(rig: Rig) -> None:
    """When the last series of a value is gone, another value is admitted."""
    r = rig(*SIGNALS)
    sold, stock = r.registry[SOLD], r.registry[STOCK]
    for shelf in ("s1", "s2", "s3"):
        sold.labels(shelf=shelf, quality="good")
    stock.labels(shelf="s1").set(5)
    assert sold.remove(shelf="s1", quality="good")
    stock.labels(shelf="s4").set(1)
    assert stock.remove(shelf="s1")
    stock.labels(shelf="s4").set(2)
    assert r.samples(STOCK) == {("_other",): 1, ("s4",): 2}


REFUSED = [
    ("db-1.internal", "hostname"),
    ("http://x", "url"),
    ("jane@example.org", "email"),
    ("10.0.0.7", "ip"),
    (ulid(1, 2), "ulid"),
    ("7d444840-9dc0-11d1-b245-5ffdce74fad2", "uuid"),
    ("x" * 200, "too_long"),
]


def refuse(r: Any, value: str) -> tuple[object, object]:
    """Use ``value`` as a label and return what is exposed and what was counted."""
    r.registry[STOCK].labels(shelf=value).set(1)
    return r.samples(STOCK), r.counted(METRIC_LABEL_REJECTIONS)


@pytest.mark.parametrize(("value", "reason"), REFUSED)
def test_refused_shapes_fold_and_are_counted_by_reason(rig: Rig, value: str, reason: str) -> None:
    """A host, an address, a person or an id never becomes a label value, and never takes a place."""
    assert refuse(rig(*SIGNALS), value) == ({("_other",): 1}, {(reason,): 1})


@pytest.mark.parametrize(("value", "reason"), REFUSED)
def test_the_refusal_catches_a_mutant_without_shapes(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    """With the shape check switched off the same value is exposed."""
    monkeypatch.setattr(admission, "refused_shape", lambda value: None)
    with pytest.raises(AssertionError):
        assert refuse(rig(*SIGNALS), value) == ({("_other",): 1}, {(reason,): 1})


def test_declared_shapes_are_kept_to(rig: Rig) -> None:
    """An id label holds ids of its prefix and a patterned label what its pattern says; the rest is overflow or refused."""
    r = rig(*SIGNALS)
    billed, ran = r.registry[BILLED], r.registry[RAN]
    good = {"env_id": an_id("env", 1), "org_id": an_id("org", 1)}
    billed.labels(**good).inc()
    billed.labels(**{**good, "env_id": "production"}).inc()
    billed.labels(**{**good, "env_id": an_id("inst", 1)}).inc()
    ran.labels(process_type="Web Server", **good).inc()
    ran.labels(process_type="web", **good).inc()
    assert r.samples(BILLED) == {tuple(good.values()): 1, ("_other", "_other"): 2}
    assert r.samples(RAN) == {(good["env_id"], "web", good["org_id"]): 1, ("_other", "_other", "_other"): 1}
    assert r.counted(METRIC_LABEL_OVERFLOW) == {("billed_total", "env_id"): 1, ("ran_total", "process_type"): 1}
    assert r.counted(METRIC_LABEL_REJECTIONS) == {("ulid",): 1}


def test_a_secret_never_becomes_a_label_value(rig: Rig) -> None:
    """A value that the redactor would change folds, in open and in closed labels, and is on no list of offenders."""

    class Redactor:
        def text(self, text: str) -> str:
            return text.replace("hunter2", "[redacted:typed]")

    r = rig(*SIGNALS, redactor=Redactor())
    r.registry[SOLD].labels(shelf="my-hunter2", quality="hunter2").inc()
    assert r.counted(SOLD) == {("_other", "_other"): 1}
    assert r.counted(METRIC_LABEL_REJECTIONS) == {("secret",): 2}
    assert r.registry.offenders() == []


def test_the_worst_offenders_are_named(rig: Rig) -> None:
    """The debug endpoint can say which values overflow, most often folded first."""
    r = rig(*SIGNALS)
    for shelf in ("s1", "s2", "s3", "x", "y", "y"):
        r.registry[STOCK].labels(shelf=shelf)
    assert [(o.metric, o.label, o.value, o.count) for o in r.registry.offenders()] == [
        ("stock", "shelf", "y", 2),
        ("stock", "shelf", "x", 1),
    ]


def test_labels_of_the_catalog_itself_are_closed_by_it(rig: Rig) -> None:
    """A label whose values are the component's own checks, loops or families admits those and no other."""
    from obslib.catalog.common import LOOP_HEALTHY
    from obslib.catalog.platform import PLATFORM

    r = rig(catalog=PLATFORM, component="agent")
    r.registry[LOOP_HEALTHY].labels(loop="agent_reconcile").set(1)
    r.registry[LOOP_HEALTHY].labels(loop="scheduler").set(1)
    assert r.samples(LOOP_HEALTHY) == {("agent_reconcile",): 1, ("_other",): 1}


def test_the_mixture_of_a_joint_and_its_parts_never_passes_the_proof(rig: Rig) -> None:
    """The catalog's worst case of each family holds for every order of admission."""
    catalog = COMMON.extend("shop", components=[Component(name="shop", plane=Plane.CONTROL_PLANE)], signals=SIGNALS)
    r = rig(catalog=catalog)
    for number in range(40):
        env, org = an_id("env", number % 7), an_id("org", number % 5)
        r.registry[RAN].labels(env_id=env, process_type=f"p{number % 3}", org_id=org).inc()
        r.registry[BILLED].labels(env_id=env, org_id=org).inc()
        r.registry.forget("env_id", an_id("env", number % 4))
        for budget in catalog.budget("shop"):
            if budget.family in ("ran_total", "billed_total"):
                family = {"ran_total": RAN, "billed_total": BILLED}[budget.family]
                assert len(r.samples(family)) <= budget.series
