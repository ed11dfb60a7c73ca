"""Actors of one org, an operator and a node."""

import pytest

from obslib.access import ROLE_SCOPES, Actor, ActorType, Role, Scope
from obslib.testing import MemoryAudit, RecordedObservability, observability
from tests.access.reading import OURS


@pytest.fixture
def developer() -> Actor:
    """A developer of our org."""
    return Actor(actor_type=ActorType.USER, actor_id="usr_1", org_id=OURS, scopes=ROLE_SCOPES[Role.DEVELOPER])


@pytest.fixture
def admin() -> Actor:
    """An admin of our org."""
    return Actor(actor_type=ActorType.USER, actor_id="usr_2", org_id=OURS, scopes=ROLE_SCOPES[Role.ADMIN])


@pytest.fixture
def operator() -> Actor:
    """An operator whose token holds every scope."""
    return Actor(actor_type=ActorType.SERVICE_PRINCIPAL, actor_id="operator", org_id=None, scopes=frozenset(Scope))


@pytest.fixture
def node() -> Actor:
    """A node whose token wrongly holds every scope."""
    return Actor(actor_type=ActorType.NODE, actor_id="node_1", org_id=None, scopes=frozenset(Scope))


@pytest.fixture
def obs() -> RecordedObservability:
    """A control plane's telemetry, recorded."""
    return observability("control-plane")


@pytest.fixture
def trail() -> MemoryAudit:
    """A trail that works."""
    return MemoryAudit()
