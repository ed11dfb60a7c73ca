"""Releases, the deploys that move an env to one, and how many replicas an env runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field, RootModel
from starlette.responses import Response

from miniplatform.control_plane.auth import in_org, refuse_malformed
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.commands import Decision, execute
from miniplatform.control_plane.manifest import Manifest, ProcessType, secrets_in
from miniplatform.control_plane.problems import InvalidArgument
from miniplatform.control_plane.tenancy import EnvId, app_of, env_of, missing
from miniplatform.store.events import NewEvent
from obslib.access import Grant, Scope
from obslib.ids import mint

__all__ = ["create_deploy", "create_release", "scale", "show_deploy"]


class ReleaseRequest(BaseModel):
    """A release to make."""

    manifest: Manifest


class DeployRequest(BaseModel):
    """A release to move an env to; going back to an earlier one is a rollback."""

    release_id: str
    kind: Literal["deploy", "rollback"] = "deploy"


class Scale(RootModel[dict[ProcessType, Annotated[int, Field(ge=0, le=50)]]]):
    """Replicas by process type."""


async def create_release(call: Call) -> Response:
    """``POST …/releases``. Nothing is ever deleted from the log, so a manifest with a secret is refused before it is there."""
    grant = await in_org(call, Scope.RELEASES_WRITE)
    with call.platform.telemetry.releases.creating():
        return await _create_release(call, grant)


async def _create_release(call: Call, grant: Grant) -> Response:
    manifest = (await call.body(ReleaseRequest)).manifest
    if secret := secrets_in(manifest):
        raise InvalidArgument(
            f"secrets do not belong into a manifest; {', '.join(secret[:10])} looks like one: a release stays in the event log"
            " for good, so let the workload fetch it when it starts, or rename what is none"
        )
    release_id = mint("rel", call.platform.obs.ids)

    async def decide() -> Decision:
        app_id = await app_of(call, grant)
        created = NewEvent(
            aggregate_type="release", aggregate_id=release_id, event_type="release.created", org_id=grant.org_id,
            app_id=app_id, payload={"manifest": manifest.model_dump(mode="json"), "manifest_hash": manifest.digest},
        )  # fmt: skip
        answer = {"release_id": release_id, "app_id": app_id, "name": manifest.name, "manifest_hash": manifest.digest}
        return Decision(events=[created], answer=answer)

    return await execute(call, "release.create", grant, decide)


async def create_deploy(call: Call) -> Response:
    """``POST …/deploys``: the desired release, and a scale for process types that have none yet, in one transaction."""
    wanted = await call.body(DeployRequest)
    grant = await in_org(call, Scope.ROLLBACKS_WRITE if wanted.kind == "rollback" else Scope.DEPLOYS_WRITE)
    refuse_malformed(wanted.release_id, "rel")
    deploy_id = mint("dep", call.platform.obs.ids)

    async def decide() -> Decision:
        env = await env_of(call, grant)
        manifest = await _manifest_of(call, env, wanted.release_id)
        scaled = await _scaled(call, env)
        unscaled = [(name, spec.replicas) for name, spec in manifest.process.items() if name not in scaled]
        events = [
            _event(env, "deploy.created", {"release_id": wanted.release_id, "kind": wanted.kind}, deploy_id),
            _event(
                env,
                "env.desired_release_set",
                {"release_id": wanted.release_id, "deploy_id": deploy_id, "process_types": sorted(manifest.process)},
                deploy_id,
            ),
            *(_event(env, "env.scale_set", {"process_type": n, "replicas": replicas}, deploy_id) for n, replicas in unscaled),
        ]
        answer = {"deploy_id": deploy_id, "env_id": env.env_id, "release_id": wanted.release_id, "kind": wanted.kind}
        return Decision(events=events, answer=answer)

    return await execute(call, "deploy.create", grant, decide)


async def show_deploy(call: Call) -> Response:
    """``GET …/deploys/{deploy}``."""
    grant = await in_org(call, Scope.ENVS_READ)
    env, named = await env_of(call, grant), call.named("deploy")
    refuse_malformed(named, "dep")
    row = await call.platform.database.row(
        "view_read",
        "SELECT deploy_id, env_id, release_id, kind, status, reason, created_at, changed_at FROM deploys"
        " WHERE deploy_id = %(deploy)s AND env_id = %(env)s AND org_id = %(org)s",
        {"deploy": named, "env": env.env_id, "org": grant.org_id},
    )
    if row is None:
        raise missing("deploy", named)
    return reply(row)


async def scale(call: Call) -> Response:
    """``PUT …/scale``: replicas by process type; the others stay as they are."""
    grant = await in_org(call, Scope.ENVS_WRITE)
    wanted = (await call.body(Scale)).root

    async def decide() -> Decision:
        env = await env_of(call, grant)
        known = await _scaled(call, env)
        if not wanted or not known.issuperset(wanted):
            unknown = ", ".join(repr(name) for name in sorted(set(wanted) - known)) or "none"
            raise InvalidArgument(f"process types to scale: {unknown}; the env has {', '.join(sorted(known)) or 'none yet'}")
        events = [_event(env, "env.scale_set", {"process_type": n, "replicas": r}) for n, r in wanted.items()]
        return Decision(events=events, answer={"env_id": env.env_id, "replicas": wanted})

    return await execute(call, "env.scale", grant, decide)


def _event(env: EnvId, event_type: str, payload: Mapping[str, object], deploy_id: str | None = None) -> NewEvent:
    kind = event_type.partition(".")[0]
    return NewEvent(
        aggregate_type=kind, aggregate_id=env.env_id if kind == "env" else str(deploy_id), event_type=event_type,
        payload=payload, org_id=env.org_id, app_id=env.app_id, env_id=env.env_id, correlation_id=deploy_id,
    )  # fmt: skip


async def _manifest_of(call: Call, env: EnvId, release_id: str) -> Manifest:
    row = await call.platform.database.row(
        "view_read",
        "SELECT manifest FROM releases WHERE release_id = %(release)s AND app_id = %(app)s AND org_id = %(org)s",
        {"release": release_id, "app": env.app_id, "org": env.org_id},
    )
    if row is None:
        raise missing("release", release_id)
    return Manifest.model_validate(row["manifest"])


async def _scaled(call: Call, env: EnvId) -> set[str]:
    rows = await call.platform.database.rows(
        "view_read",
        "SELECT process_type FROM env_scale WHERE env_id = %(env)s AND org_id = %(org)s",
        {"env": env.env_id, "org": env.org_id},
    )
    return {row["process_type"] for row in rows}
