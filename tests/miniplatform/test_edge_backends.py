"""A backend takes connections when the control plane says ready and nothing this edge tried has failed lately."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniplatform.edge.backends import COOL_DOWN_CAP_S, COOL_DOWN_S, Backend
from miniplatform.edge.pool import RoutePool
from miniplatform.wire import EdgeBackend, EdgeRoute

INSTANCE = "inst_00000000000000000000000001"


def wire(state: str = "ready", *, instance_id: str = INSTANCE, port: int = 9000) -> EdgeBackend:
    """A backend as the control plane hands it out."""
    return EdgeBackend(instance_id=instance_id, address="127.0.0.1", port=port, state=state)  # type: ignore[arg-type]


def told() -> tuple[list[tuple[str, str]], Callable[[Backend, str, str], None]]:
    """A list of the changes of rotation, and what writes them down."""
    said: list[tuple[str, str]] = []
    return said, lambda backend, change, reason: said.append((change, reason))


def missed(backend: Backend, at: float, *, gate: str = "connect_failed") -> None:
    """One failure at second ``at``."""
    backend.missed("refused", gate=gate, now=at, wall=at)


def test_a_new_backend_is_eligible_and_of_unknown_reachability() -> None:
    """The control plane's word is enough to begin with."""
    said, tell = told()
    backend = Backend("rt_1", wire(), tell)
    assert (backend.gate, backend.reachability, said) == ("", "unknown", [])


@pytest.mark.parametrize("state", ["draining", "not_ready"])
def test_the_control_planes_word_gates_at_once(state: str) -> None:
    """A backend that is not called ready is out, and in again when it is."""
    said, tell = told()
    backend = Backend("rt_1", wire(), tell)
    backend.update(wire(state))
    assert backend.gate == state
    backend.update(wire())
    assert said == [("removed", state), ("restored", state)]


def test_a_backend_that_boots_was_never_in_rotation() -> None:
    """Becoming ready for the first time is no change of rotation."""
    said, tell = told()
    backend = Backend("rt_1", wire("not_ready"), tell)
    backend.update(wire())
    assert (backend.gate, said) == ("", [])


def test_cool_downs_double_up_to_their_cap() -> None:
    """1, 2, 4 … 300 seconds; one success and it starts over."""
    _, tell = told()
    backend = Backend("rt_1", wire(), tell)
    now, pauses = 0.0, []
    for _ in range(11):
        missed(backend, now)
        pauses.append(backend.next_probe - now)
        now = backend.next_probe
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, COOL_DOWN_CAP_S, COOL_DOWN_CAP_S]
    backend.reached(now=now, wall=now, next_probe_s=0.5)
    missed(backend, now)
    assert backend.next_probe - now == COOL_DOWN_S


def test_failures_of_one_incident_count_once() -> None:
    """A hundred clients that fail at the same moment do not lengthen the cool-down."""
    said, tell = told()
    backend = Backend("rt_1", wire(), tell)
    for n in range(100):
        missed(backend, n / 1000)
    assert backend.next_probe == COOL_DOWN_S
    assert said == [("removed", "connect_failed")]


def test_a_success_restores_what_a_failure_gated() -> None:
    """The reason of the removal is the reason of the return."""
    said, tell = told()
    backend = Backend("rt_1", wire(), tell)
    missed(backend, 0.0, gate="probe_failed")
    assert (backend.gate, backend.reachability, backend.last_failure_reason) == ("probe_failed", "unreachable", "refused")
    backend.reached(now=1.0, wall=1.0, next_probe_s=0.5)
    assert (backend.gate, backend.reachability) == ("", "reachable")
    assert said == [("removed", "probe_failed"), ("restored", "probe_failed")]


@given(
    steps=st.lists(st.sampled_from(["ready", "draining", "not_ready", "hit", "miss"]), max_size=30),
    states=st.lists(st.sampled_from(["ready", "draining", "not_ready"]), min_size=1, max_size=1),
)
def test_changes_of_rotation_alternate(steps: list[str], states: list[str]) -> None:
    """Whatever happens, a backend leaves rotation, rejoins it, leaves it …, and the last word is how it stands."""
    said, tell = told()
    backend = Backend("rt_1", wire(states[0]), tell)
    began_in = backend.gate == ""
    for n, step in enumerate(steps):
        match step:
            case "hit":
                backend.reached(now=n, wall=n, next_probe_s=0.5)
            case "miss":
                missed(backend, n)
            case state:
                backend.update(wire(state))
    changes = [change for change, _ in said]
    assert changes == (["removed", "restored"] * len(changes))[: len(changes)]
    if began_in:
        assert (backend.gate == "") == (len(changes) % 2 == 0)


def test_eligible_backends_take_turns() -> None:
    """Each client begins with the next backend; gated ones are left out."""
    _, tell = told()
    backends = [Backend("rt_1", wire(instance_id=name), tell) for name in ("a", "b", "c")]
    route = EdgeRoute(
        route_id="rt_1", org_id="o", env_id="e", hostname="h", listener_port=1, protocol="tcp_raw", process_type="web"
    )
    pool = RoutePool(route, backends)
    firsts = [[b.wire.instance_id for b in pool.candidates()] for _ in range(3)]
    assert firsts == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]
    missed(backends[1], 0.0)
    assert [next(pool.candidates()).wire.instance_id for _ in range(4)] == ["c", "a", "c", "a"]
