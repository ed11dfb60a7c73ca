"""A grant comes from authorize or not at all."""

from __future__ import annotations

import copy
import pickle

import pytest

from obslib.access import Actor, Grant, Resource, Role, Scope, authorize, delegable
from obslib.access.scopes import ROLE_SCOPES
from obslib.errors import AccessDenied

OURS = "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"
ORG = Resource(type="org", id=OURS)


def test_it_cannot_be_constructed(developer: Actor) -> None:
    """Calling the class is refused, with the way to get one."""
    with pytest.raises(TypeError, match=r"a Grant cannot be constructed; obslib\.access\.authorize\(actor, scope, org_id"):
        Grant(developer, Scope.LOGS_READ, OURS)


def test_it_cannot_be_extended() -> None:
    """A subclass that would say yes cannot be written."""
    with pytest.raises(TypeError, match="'Forged' cannot extend Grant"):
        type("Forged", (Grant,), {})


def test_it_cannot_be_changed_copied_or_stored(developer: Actor) -> None:
    """What was checked stays what is granted."""
    grant = authorize(developer, Scope.EVENTS_READ, OURS, resource=ORG)
    with pytest.raises(AttributeError, match="'org_id' stays what"):
        grant.org_id = "org_other"  # type: ignore[misc]  # the point of the test
    with pytest.raises(AttributeError, match="'_decision' stays what"):
        del grant._decision
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="neither copied nor stored"):
            attempt(grant)


def test_it_says_what_it_is(developer: Actor) -> None:
    """Its repr names scope, org and actor, for a log line or a debugger."""
    grant = authorize(developer, Scope.EVENTS_READ, OURS, resource=ORG)
    assert repr(grant) == f"<Grant events:read in {OURS} to usr_1>"


def test_an_admin_hands_out_no_more_than_it_holds(admin: Actor) -> None:
    """A tenant's admin delegates what it holds; an owner's or an operator's scope is refused by name."""
    grant = authorize(admin, Scope.ORGS_ADMIN, OURS, resource=ORG)
    assert delegable(grant, [Scope.LOGS_READ]) == {Scope.LOGS_READ}
    for scope in (Scope.BILLING_WRITE, Scope.NODES_ADMIN, Scope.SECRETS_READ_MATERIAL):
        with pytest.raises(AccessDenied, match=str(scope)):
            delegable(grant, [Scope.LOGS_READ, scope])


def test_an_operator_hands_out_tenant_scopes_only(operator: Actor) -> None:
    """An operator sets an org up with any role, and gives no tenant an operator's scope."""
    grant = authorize(operator, Scope.ORGS_ADMIN, OURS, resource=ORG)
    assert delegable(grant, ROLE_SCOPES[Role.OWNER]) == ROLE_SCOPES[Role.OWNER]
    with pytest.raises(AccessDenied, match="nodes:admin"):
        delegable(grant, [Scope.NODES_ADMIN])


def test_delegation_needs_the_right_grant(admin: Actor) -> None:
    """A grant for reading logs does not mint tokens."""
    with pytest.raises(AccessDenied, match="orgs:admin"):
        delegable(authorize(admin, Scope.EVENTS_READ, OURS, resource=ORG), [Scope.LOGS_READ])
