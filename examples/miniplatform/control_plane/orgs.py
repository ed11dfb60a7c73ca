"""Orgs, and the tokens of their members."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, StringConstraints, model_validator
from starlette.responses import Response

from miniplatform.control_plane.auth import in_org, on_platform
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.commands import Decision, execute
from miniplatform.control_plane.recording import read_in_org
from miniplatform.control_plane.tenancy import missing
from miniplatform.store.events import NewEvent
from miniplatform.store.tokens import Bearer, issue
from obslib.access import ROLE_SCOPES, Grant, Role, Scope, delegable
from obslib.ids import mint

__all__ = ["Name", "Named", "create_org", "issue_token", "whoami"]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class Named(BaseModel):
    """Something to create under a name."""

    name: Name


class TokenRequest(BaseModel):
    """A token to issue, for a role or for single scopes."""

    actor_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    role: Role | None = None
    scopes: frozenset[Scope] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.role is None) == (self.scopes is None):
            raise ValueError("give either a role or scopes")
        return self


async def create_org(call: Call) -> Response:
    """``POST /v1/orgs``: an operator's."""
    grant = on_platform(call, Scope.ORGS_ADMIN)
    name = (await call.body(Named)).name
    org_id = mint("org", call.platform.obs.ids)

    async def decide() -> Decision:
        created = NewEvent(
            aggregate_type="org", aggregate_id=org_id, event_type="org.created", org_id=org_id, payload={"name": name}
        )
        return Decision(events=[created], answer={"org_id": org_id, "name": name}, claims=[("org", name, org_id)])

    return await execute(call, "org.create", grant, decide)


async def issue_token(call: Call) -> Response:
    """``POST …/tokens``: the only answer that ever holds a token; who let whom in, and with what, is on record."""
    await in_org(call, Scope.ORGS_ADMIN)
    wanted = await call.body(TokenRequest)
    asked = {"actor": wanted.actor_id, "role": wanted.role, "granted": " ".join(sorted(wanted.scopes or ()))}
    selectors = {name: str(value) for name, value in asked.items() if value}
    async with read_in_org(call, Scope.ORGS_ADMIN, action="tokens.issue", selectors=selectors) as reading:
        actor_id = wanted.actor_id or mint("sp", call.platform.obs.ids)
        actor_type: Literal["user", "service_principal"] = "user" if actor_id.startswith("usr_") else "service_principal"
        with call.platform.telemetry.tokens.minting(actor_type):
            return await _issue(call, reading.grant, wanted, actor_type, actor_id)


async def _issue(call: Call, grant: Grant, wanted: TokenRequest, actor_type: str, actor_id: str) -> Response:
    scopes = delegable(grant, ROLE_SCOPES[wanted.role] if wanted.role else wanted.scopes or ())
    database = call.platform.database
    org = await database.row("view_read", "SELECT org_id FROM orgs WHERE org_id = %(org)s", {"org": grant.org_id})
    if org is None:
        raise missing("org", call.named("org"))
    bearer = Bearer(actor_type=actor_type, actor_id=actor_id, org_id=org["org_id"], scopes=frozenset(map(str, scopes)))
    async with database.transaction("auth") as connection:
        token = await issue(connection, bearer)
    return reply({"token": token.reveal(), "actor_id": actor_id, "scopes": sorted(bearer.scopes)}, 201)


async def whoami(call: Call) -> Response:
    """``GET /v1/whoami``: what the token says of its holder."""
    bearer = call.bearer
    return reply(
        {
            "actor_type": bearer.actor_type,
            "actor_id": bearer.actor_id,
            "org_id": bearer.org_id,
            "org_name": bearer.org_name,
            "scopes": sorted(bearer.scopes),
        }
    )
