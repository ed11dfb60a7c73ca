"""Authorization: one's own org by scope, nobody else's at all."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest

from obslib.access import (
    AUDITED_SCOPES,
    PLATFORM_SCOPES,
    ROLE_SCOPES,
    Actor,
    ActorType,
    Grant,
    Resource,
    Role,
    Scope,
    authorize,
    not_found,
)
from obslib.access import decision as decision_module
from obslib.errors import AccessDenied, AuditRequired, ErrorClass

OURS = "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"
THEIRS = "org_01BX5ZZKBKACTAV9WEVGEMMVRZ"
ENV = Resource(type="env", id="env_01ARZ3NDEKTSV4RRFFQ69G5FAV")


def outcome(actor: Actor, scope: Scope, org_id: str | None) -> str:
    """``granted`` or the class of the refusal, as it is decided; what needs no record must also be granted so."""
    decision = decision_module.decide(actor, scope, org_id, ENV)
    if scope not in AUDITED_SCOPES:
        try:
            grant = authorize(actor, scope, org_id, resource=ENV)
        except AccessDenied as refusal:
            return refusal.error_class
        assert (grant.actor, grant.scope, grant.org_id, grant.resource) == (actor, scope, org_id, ENV)
    return "granted" if decision.is_allowed else decision.refusal().error_class


def cross_org_breaches(rounds: int = 500) -> list[tuple[Actor, Scope, str]]:
    """Grants of an org's data to actors of another org, found by trying arbitrary actors. Should be empty."""
    chance = random.Random(20)
    scopes = sorted(Scope)
    breaches = []
    for _ in range(rounds):
        held = frozenset(chance.sample(scopes, chance.randint(0, len(scopes))))
        actor = Actor(
            actor_type=chance.choice(list(ActorType)), actor_id="x", org_id=chance.choice([OURS, None, ""]), scopes=held
        )
        scope = chance.choice(scopes)
        allowed_for_operators = actor.is_operator and scope in PLATFORM_SCOPES
        if outcome(actor, scope, THEIRS) != ErrorClass.NOT_FOUND and not allowed_for_operators:
            breaches.append((actor, scope, THEIRS))
    return breaches


def test_a_scope_held_opens_ones_own_org(developer: Actor) -> None:
    """A developer reads the logs of the own org."""
    assert outcome(developer, Scope.LOGS_READ, OURS) == "granted"


def test_a_scope_missing_in_ones_own_org_is_forbidden_and_named(developer: Actor) -> None:
    """The refusal names the scope, so that the caller can ask for it (WLG-09)."""
    with pytest.raises(AccessDenied) as refused:
        authorize(developer, Scope.BILLING_READ, OURS, resource=ENV)
    assert refused.value.error_class is ErrorClass.FORBIDDEN
    assert str(refused.value) == (
        "this needs the scope 'billing:read', which the token does not have; ask an owner of the org for a token with it"
    )


def test_a_scope_that_counts_on_the_platform_says_so() -> None:
    """An owner whose token lists orgs:admin is told where it is needed, not that the token lacks it."""
    owner = Actor(actor_type=ActorType.USER, actor_id="u", org_id=OURS, scopes=ROLE_SCOPES[Role.OWNER])
    with pytest.raises(AccessDenied) as refused:
        authorize(owner, Scope.ORGS_ADMIN, None, resource=Resource(type="org"))
    assert str(refused.value) == (
        "this needs the scope 'orgs:admin' where it was asked for, and the token does not have it there: what belongs to the"
        " whole platform needs it on the platform, not on an org, so ask an operator; for what is inside the org ask one of its"
        " owners"
    )
    with pytest.raises(AccessDenied, match="'nodes:admin' on the platform, not on an org; ask an operator of the platform"):
        authorize(owner, Scope.NODES_ADMIN, None, resource=Resource(type="node"))


@pytest.mark.parametrize("scope", [Scope.EVENTS_READ, Scope.BILLING_READ, Scope.ORGS_ADMIN])
def test_anothers_org_does_not_exist(developer: Actor, scope: Scope) -> None:
    """A foreign org is refused word for word like a missing one, whether the scope is held or not."""
    with pytest.raises(AccessDenied) as refused:
        authorize(developer, scope, THEIRS, resource=ENV)
    missing = not_found(ENV)
    assert (str(refused.value), refused.value.error_class) == (str(missing), missing.error_class)


def test_no_actor_ever_gets_into_another_org() -> None:
    """Whatever its type and scopes, no actor of one org is granted anything in another."""
    assert cross_org_breaches() == []


def test_mutant_without_the_org_check_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the org check removed, the search above finds breaches."""
    real: Callable[[Actor, Scope, str | None], decision_module.Reason] = decision_module._reason

    def without_org_check(actor: Actor, scope: Scope, org_id: str | None) -> decision_module.Reason:
        return real(actor, scope, actor.org_id if actor.org_id is not None else org_id)

    monkeypatch.setattr(decision_module, "_reason", without_org_check)
    assert cross_org_breaches() != []


def test_an_operator_administers_orgs_and_nodes_but_reads_no_tenant(operator: Actor) -> None:
    """Holding every scope, an operator still gets platform scopes only; tenant data does not exist for it."""
    assert {scope for scope in Scope if outcome(operator, scope, OURS) == "granted"} == PLATFORM_SCOPES
    assert {scope for scope in Scope if outcome(operator, scope, None) == "granted"} == PLATFORM_SCOPES
    assert outcome(operator, Scope.LOGS_READ, OURS) == ErrorClass.NOT_FOUND


def test_an_org_that_is_not_there_is_nobodys(operator: Actor) -> None:
    """The empty org id, which a failed look-up may leave, is granted to no one."""
    nameless = Actor(actor_type=ActorType.USER, actor_id="u", org_id="", scopes=frozenset(Scope))
    for actor in (operator, nameless):
        assert {outcome(actor, scope, "") for scope in Scope} == {ErrorClass.NOT_FOUND}


def test_an_operator_without_the_scope_is_refused(operator: Actor) -> None:
    """Being an operator is not enough."""
    reader = Actor(actor_type=operator.actor_type, actor_id="op", org_id=None, scopes=frozenset({Scope.ORGS_READ}))
    assert outcome(reader, Scope.NODES_ADMIN, None) == ErrorClass.FORBIDDEN


def test_platform_resources_are_not_for_tenants_or_nodes(node: Actor) -> None:
    """An operator scope in a tenant's or a node's token opens nothing."""
    hopeful = Actor(actor_type=ActorType.USER, actor_id="u", org_id=OURS, scopes=frozenset(Scope))
    assert outcome(hopeful, Scope.NODES_ADMIN, None) == ErrorClass.FORBIDDEN
    assert outcome(hopeful, Scope.NODES_ADMIN, OURS) == ErrorClass.FORBIDDEN
    assert outcome(node, Scope.NODES_ADMIN, None) == ErrorClass.FORBIDDEN
    assert outcome(node, Scope.ENVS_READ, OURS) == ErrorClass.NOT_FOUND


def test_secret_material_is_off_for_everybody(operator: Actor) -> None:
    """The scope exists by name only."""
    hopeful = Actor(actor_type=ActorType.USER, actor_id="u", org_id=OURS, scopes=frozenset(Scope))
    assert outcome(hopeful, Scope.SECRETS_READ_MATERIAL, OURS) == ErrorClass.FORBIDDEN
    assert outcome(operator, Scope.SECRETS_READ_MATERIAL, OURS) == ErrorClass.NOT_FOUND


def test_roles_nest_and_all_read_logs() -> None:
    """Each role contains the one below it, all include logs:read, none an operator's scope or secret material."""
    ladder = [ROLE_SCOPES[role] for role in (Role.READONLY, Role.DEVELOPER, Role.ADMIN, Role.OWNER)]
    assert all(lower < higher for lower, higher in itertools.pairwise(ladder))
    assert all(Scope.LOGS_READ in scopes for scopes in ladder)
    assert not ladder[-1] & {Scope.NODES_ADMIN, Scope.SECRETS_READ_MATERIAL}
    assert Scope.EXEC_WRITE not in ROLE_SCOPES[Role.READONLY]


def test_a_stored_token_with_an_unknown_scope_still_works() -> None:
    """Scopes that this version does not know are left out."""
    actor = Actor.of(actor_type="user", actor_id="u", org_id=OURS, scopes=["logs:read", "moon:land"])
    assert actor.scopes == {Scope.LOGS_READ}


def test_a_grant_is_for_its_scope_and_for_an_org(developer: Actor, operator: Actor) -> None:
    """A grant for one thing opens no other, and a platform grant opens no org."""
    grant = authorize(developer, Scope.EVENTS_READ, OURS, resource=ENV)
    assert grant.require(Scope.EVENTS_READ) == OURS
    with pytest.raises(AccessDenied, match="'envs:read'"):
        grant.require(Scope.ENVS_READ)
    platform = authorize(operator, Scope.NODES_ADMIN, None, resource=Resource(type="node"))
    with pytest.raises(AccessDenied, match="there is no such node"):
        platform.require(Scope.NODES_ADMIN)
    assert isinstance(grant, Grant)


@pytest.mark.parametrize("scope", sorted(AUDITED_SCOPES))
def test_nothing_audited_is_granted_here(developer: Actor, operator: Actor, scope: Scope) -> None:
    """Whoever asks, wherever: a scope that is used only on record is refused as the caller's own mistake."""
    for actor in (developer, operator):
        for org_id in (OURS, THEIRS, None):
            with pytest.raises(AuditRequired) as refused:
                authorize(actor, scope, org_id, resource=ENV)
    assert str(refused.value) == (
        f"{str(scope)!r} is used only on record; take the grant from Auditor.reading(actor, scope, org_id, …)"
    )
