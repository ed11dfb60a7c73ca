"""``platform deploy``: make an env what a manifest says, step by step, each only if it is still needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from obslib.cli.platform.api import path
from obslib.cli.platform.context import Target
from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.lookup import find
from obslib.cli.platform.manifest import Manifest, load
from obslib.cli.platform.rollout import await_deploy
from obslib.cli.platform.session import Session

__all__ = ["deploy"]


def deploy(session: Session, manifest_path: Path, *, is_waiting: bool, timeout_s: float, is_forced: bool) -> None:
    """Ensure app, env, release, deploy and routes; wait for the rollout unless told not to.

    The same manifest gives the same release. When the env already wants it, and its deploy has not
    failed, nothing new is deployed. Routes that the manifest does not name are left alone.
    """
    manifest = load(manifest_path)
    _refuse_other_app(session, manifest)
    target = session.target("org", "app", "env", manifest=manifest.target)
    begun = session.clock.monotonic()
    session.screen.note(f"trace {session.api.trace_id}")
    target = _ensure_app(session, target)
    target = _ensure_env(session, target)
    release_id = _release(session, target, manifest)
    deploy_id, is_new = _deploy(session, target, manifest, release_id, is_forced=is_forced)
    routes = _ensure_routes(session, target, manifest, deploy_id)
    outcome = {"status": "accepted"}
    if is_waiting:
        remaining = timeout_s - (session.clock.monotonic() - begun)
        outcome = await_deploy(session, target, deploy_id, timeout_s=max(1.0, remaining), routes=_names(routes))
    _tell(
        session,
        {
            "app_id": target.app,
            "env_id": target.env,
            "release_id": release_id,
            "deploy_id": deploy_id,
            "changed": is_new or any(route["changed"] for route in routes),
            **outcome,
            "routes": routes,
            "trace_id": session.trace_id,
        },
    )


def _refuse_other_app(session: Session, manifest: Manifest) -> None:
    """Raise CliFailure when ``--app`` names an app that the manifest is not for; the saved context's app does not count."""
    named = session.flags.app
    name = named
    if named.startswith("app_"):
        target = session.target("org", "app", manifest=manifest.target)
        items = session.api.items(path("orgs", target.org, "apps"))
        name = next((str(item.get("name")) for item in items if item.get("app_id") == named), manifest.name)
    if name and name != manifest.name:
        raise CliFailure(
            Category.INVALID_USAGE,
            f"--app names {name!r}, but the manifest is for {manifest.name!r}",
            hint="leave --app out, or change name in the manifest",
            resource=("app", named if named != name else "", name),
        )


def _ensure_app(session: Session, target: Target) -> Target:
    if target.app.startswith("app_"):
        return target
    apps = path("orgs", target.org, "apps")
    found = find(session.api.items(apps), "app", target.app)
    if found is None:
        found = str(session.api.send("POST", apps, {"name": target.app})["app_id"])
        session.screen.note(f"app {target.app} created: {found}")
    return replace(target, app=found)


def _ensure_env(session: Session, target: Target) -> Target:
    if target.env.startswith("env_"):
        return target
    envs = session.app_path(target, "envs")
    found = find(session.api.items(envs), "env", target.env)
    if found is None:
        found = str(session.api.send("POST", envs, {"name": target.env})["env_id"])
        session.screen.note(f"env {target.env} created: {found}")
    return replace(target, env=found)


def _release(session: Session, target: Target, manifest: Manifest) -> str:
    """The release of this content: the key is made from it, so that sending it again gives the first reply."""
    body = {"manifest": manifest.content()}
    made = session.api.send("POST", session.app_path(target, "releases"), body, key=f"release-{manifest.digest()}")
    session.screen.note(f"release {made['release_id']}")
    return str(made["release_id"])


def _deploy(session: Session, target: Target, manifest: Manifest, release_id: str, *, is_forced: bool) -> tuple[str, bool]:
    current = session.api.get(session.env_path(target, "describe"))
    desired = {str(wish["process_type"]): wish for wish in current.get("desired") or ()}
    for name, entry in manifest.process.items():
        replicas = desired[name]["replicas"] if name in desired else entry.replicas
        if replicas != entry.replicas:
            session.screen.note(f"{name} stays at {replicas} replicas; the manifest's {entry.replicas} is for a first deploy")
    wishes = [desired.get(name, {}) for name in manifest.process]
    is_same = all(wish.get("release_id") == release_id and wish.get("deploy_status") != "failed" for wish in wishes)
    if is_same and not is_forced:
        session.screen.note(f"nothing changed: {wishes[0]['deploy_id']} is the deploy of this release")
        return str(wishes[0]["deploy_id"]), False
    made = session.api.send("POST", session.env_path(target, "deploys"), {"release_id": release_id})
    session.screen.note(f"deploy {made['deploy_id']}")
    return str(made["deploy_id"]), True


def _ensure_routes(session: Session, target: Target, manifest: Manifest, deploy_id: str) -> list[dict[str, Any]]:
    """Create what is missing, replace what is bound otherwise; a refusal says what there is by now and what is not."""
    where = session.env_path(target, "routes")
    there = (
        {(item.get("hostname"), item.get("listener_port")): item for item in session.api.items(where)} if manifest.route else {}
    )
    routes = []
    for entry in manifest.route:
        wanted = entry.model_dump(mode="json")
        known = there.get((entry.hostname, entry.listener_port))
        name = f"{entry.hostname}:{entry.listener_port}"
        if known is not None and all(known.get(key, value) == value for key, value in wanted.items()):
            routes.append({"route_id": known["route_id"], **wanted, "changed": False})
            continue
        with _told_what_runs(deploy_id, name):
            if known is not None:
                session.api.send("DELETE", session.env_path(target, "routes", str(known["route_id"])))
            made = session.api.send("POST", where, wanted)
            if "route_id" not in made:
                raise CliFailure(Category.INTERNAL, "the API made it without saying its id")
        session.screen.note(f"route {name} {'replaced' if known else 'created'}: {made['route_id']}")
        routes.append({"route_id": made["route_id"], **wanted, "changed": True})
    return routes


@contextmanager
def _told_what_runs(deploy_id: str, route: str) -> Iterator[None]:
    try:
        yield
    except CliFailure as failure:
        failure.message = f"deploy {deploy_id} runs, but route {route} is missing: {failure.message}"
        failure.hint = "mend the route and deploy the manifest again; what is there by then is left as it is"
        failure.resource = ("route", "", route)
        failure.fields["deploy_id"] = deploy_id
        raise


def _names(routes: list[dict[str, Any]]) -> dict[str, str]:
    return {str(route["route_id"]): f"{route['hostname']}:{route['listener_port']}" for route in routes}


def _tell(session: Session, result: dict[str, Any]) -> None:
    if session.flags.is_json:
        session.screen.document(result)
        return
    session.screen.line(f"deploy {result['deploy_id']} {result['status']}")
    for route in result["routes"]:
        session.screen.line(f"{route['hostname']}:{route['listener_port']} -> {route['process_type']}", indent=2)
    session.screen.line(f"trace {result['trace_id']}")
