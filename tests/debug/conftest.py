"""A served env to break, and grants."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from obslib.access import ROLE_SCOPES, Actor, ActorType, Grant, Resource, Role, Scope, authorize
from tests.debug.scenes import Scene


@pytest.fixture
def scene() -> Scene:
    """The served env and ways to change it."""
    return Scene()


@pytest.fixture
def grant_for() -> Callable[[Scope, str], Grant]:
    """A grant of one scope in an org, to a member of that org."""

    def grant(scope: Scope, org_id: str) -> Grant:
        member = Actor(actor_type=ActorType.USER, actor_id="usr_1", org_id=org_id, scopes=ROLE_SCOPES[Role.OWNER])
        return authorize(member, scope, org_id, resource=Resource(type="env"))

    return grant
