"""The command tree: names, arguments and help; what each does is in the module of its noun."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from obslib.cli.platform import auditing, describing, differing, edges, events, explaining, listing, logs, retaining, scaling
from obslib.cli.platform.context import SavedContext
from obslib.cli.platform.failure import Category
from obslib.cli.platform.flags import GlobalFlags, refuse_empty
from obslib.cli.platform.grouping import Holder, group
from obslib.cli.platform.session import Session

__all__ = ["build", "session_of"]

Argument = Annotated[str | None, typer.Argument(show_default=False)]
Since = Annotated[str, typer.Option(help="RFC 3339 time or how long ago: 90s, 10m, 2h, 1d.")]
Until = Annotated[str, typer.Option(help="The same, for the end.")]
EventType = Annotated[str, typer.Option("--type", help="Only events of this type.")]
RouteId = Annotated[str, typer.Option("--route", help="Only events of this route id.")]
After = Annotated[int | None, typer.Option(help="Only events after this event id.", min=0)]
_EXIT_CODES = "Exit codes: " + ", ".join(
    ["0 success", *(f"{category.exit_code} {category.replace('_', ' ')}" for category in Category), "130 Ctrl-C."]
)
_HELP = """Ask and change a platform: what is desired, what runs, what routes to what, and why not.

The options below may stand before or after the subcommand. What is not named comes from the saved
context: $PLATFORM_CONTEXT, or ~/.config/platform/context.json, with api, token, org, app and env;
$PLATFORM_API and $PLATFORM_TOKEN win over it.
"""
AllEnvs = Annotated[bool, typer.Option("--all-envs", help="Events of the whole org, not of one env.")]


def build() -> tuple[Any, Holder]:
    """The command, and where it leaves the session it was run with."""
    holder: Holder = {}
    root = group(_HELP, epilog=_EXIT_CODES)
    root.callback()(_root(holder))
    _top(root, holder)
    groups = (noun.commands(holder) for noun in (explaining, logs, auditing, retaining))
    for part in (_describe(holder), _events(holder), *groups, *_lists(holder)):
        root.add_typer(part)
    return typer.main.get_command(root), holder


def session_of(holder: Holder) -> Session | None:
    """The session of a run; ``None`` when the flags could not be read."""
    return holder.get("session")


def _root(holder: Holder) -> Any:
    def flags(
        org: Annotated[str, typer.Option(help="Org, by id or name.")] = "",
        project: Annotated[str, typer.Option(help="Accepted; projects group apps and limit nothing.")] = "",
        app: Annotated[str, typer.Option(help="App, by id or name.")] = "",
        env: Annotated[str, typer.Option(help="Env, by id or name.")] = "",
        emergency: Annotated[
            str, typer.Option(metavar="REASON", help="For operators: read in a tenant's org for this reason, on record there.")
        ] = "",
        json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else; streams print NDJSON.")] = False,
        debug: Annotated[bool, typer.Option("--debug", help="Show each call, and keep the trace.")] = False,
        verbose: Annotated[bool, typer.Option("--verbose", help="Show all evidence.")] = False,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        no_input: Annotated[bool, typer.Option("--no-input", help="Never ask; fail instead.")] = False,
    ) -> None:
        """Read the global flags."""
        given = GlobalFlags(
            org=org, project=project, app=app, env=env, emergency=emergency, is_json=json, is_debug=debug, is_verbose=verbose,
            is_confirmed=yes, may_ask=not no_input,
        )  # fmt: skip
        holder["session"] = Session(flags=given, saved=SavedContext.load(os.environ))

    return flags


def _top(root: typer.Typer, holder: Holder) -> None:
    @root.command()
    def deploy(
        manifest: Annotated[str, typer.Argument(show_default=False)],
        wait: Annotated[
            bool, typer.Option(help="Wait until it has failed, or has succeeded and its routes are served.")
        ] = True,
        timeout: Annotated[float, typer.Option(help="Seconds to wait.", min=1.0, max=3600.0)] = 120.0,
        force: Annotated[bool, typer.Option("--force", help="Deploy even if nothing changed.")] = False,
    ) -> None:
        """Make an env run what a manifest says: app, env, release, deploy and routes; what exists is left as it is.

        A manifest is TOML: name, a table [process.TYPE] each with command, replicas, memory_bytes, env and health (type
        http or tcp, path), and for each route [[route]] with hostname, listener_port, process_type, protocol (tcp_raw or
        tls_passthrough) and proxy_protocol (off or v2). A process type web is there to be reached: without a route
        'why env' calls it broken.
        """
        from obslib.cli.platform import deploying  # with pydantic, which no other command has to wait for

        refuse_empty("MANIFEST", manifest, hint="give the path of a TOML manifest")
        deploying.deploy(holder["session"], Path(manifest), is_waiting=wait, timeout_s=timeout, is_forced=force)

    @root.command()
    def scale(replicas: Annotated[list[str], typer.Argument(metavar="PROCESS=N...", show_default=False)]) -> None:
        """Set how many instances of a process type run."""
        scaling.scale(holder["session"], replicas)

    @root.command()
    def changes(
        since: Since = "1h",
        until: Until = "",
        limit: Annotated[int, typer.Option(help="Tell of at most so many events, the newest.", min=1, max=1_000)] = 200,
        with_instances: Annotated[bool, typer.Option("--instances", help="Tell of instances too.")] = False,
        all_envs: Annotated[bool, typer.Option("--all-envs", help="Of the whole org, not of one env.")] = False,
    ) -> None:
        """What changed lately, by whom, from what to what; in the env that is named, else in the app, else in the org."""
        differing.changes(
            holder["session"], since=since, until=until, limit=limit, is_all=all_envs, with_instances=with_instances
        )

    @root.command()
    def whoami() -> None:
        """Show whose token this is and what it may do."""
        listing.whoami(holder["session"])


def _describe(holder: Holder) -> typer.Typer:
    describe = group("Explain one thing: what is desired of it, how it is, and why.", "describe")

    @describe.command()
    def env(env: Argument = None) -> None:
        """What is desired, what runs, what routes to what, and why it does not converge."""
        describing.env(holder["session"], env)

    @describe.command()
    def route(route: Annotated[str, typer.Argument(help="Route id, or HOSTNAME[:PORT].", show_default=False)]) -> None:
        """A route's backends, as each edge reaches them."""
        describing.route(holder["session"], route)

    @describe.command()
    def instance(instance: Annotated[str, typer.Argument(show_default=False)]) -> None:
        """An instance's life, health and end."""
        describing.instance(holder["session"], instance)

    @describe.command()
    def edge(node: Argument = None) -> None:
        """What each edge node serves, what it refuses, and its backends; for operators."""
        edges.describe(holder["session"], node)

    @describe.command()
    def convergence() -> None:
        """How far every reader of the event log has come; for operators."""
        describing.convergence(holder["session"])

    return describe


def _events(holder: Holder) -> typer.Typer:
    events_group = group("Read the event log.", "events")

    @events_group.command()
    def query(
        since: Since = "",
        until: Until = "",
        limit: Annotated[int, typer.Option(help="How many events at most.", min=1, max=10_000)] = 50,
        event_type: EventType = "",
        route: RouteId = "",
        after: After = None,
        all_envs: AllEnvs = False,
    ) -> None:
        """List events, oldest first; of the env that is named, else of the app, else of the org."""
        wanted = events.Selection(event_type=event_type, route_id=route, since=since, until=until, is_all=all_envs)
        events.query(holder["session"], wanted, after=after, limit=limit)

    @events_group.command()
    def tail(
        since: Since = "",
        limit: Annotated[int | None, typer.Option(help="Stop after so many events.", min=1)] = None,
        event_type: EventType = "",
        route: RouteId = "",
        after: After = None,
        all_envs: AllEnvs = False,
    ) -> None:
        """Follow events as they happen, over reconnections; Ctrl-C ends it with exit code 130."""
        wanted = events.Selection(event_type=event_type, route_id=route, since=since, is_all=all_envs)
        events.tail(holder["session"], wanted, after=after, limit=limit)

    return events_group


def _lists(holder: Holder) -> list[typer.Typer]:
    orgs, apps, envs = group("Orgs.", "orgs"), group("Apps.", "apps"), group("Envs.", "envs")
    routes, instances = group("Routes.", "routes"), group("Instances.", "instances")

    @orgs.command("create")
    def create(name: str) -> None:
        """Make an org; for operators."""
        listing.create_org(holder["session"], name)

    @apps.command("list")
    def list_apps() -> None:
        """The org's apps."""
        listing.apps(holder["session"])

    @envs.command("list")
    def list_envs() -> None:
        """The app's envs."""
        listing.envs(holder["session"])

    @routes.command("list")
    def list_routes() -> None:
        """The env's routes."""
        listing.routes(holder["session"])

    @routes.command("delete")
    def delete_route(route: Annotated[str, typer.Argument(help="Route id, or HOSTNAME[:PORT].", show_default=False)]) -> None:
        """Delete a route; asks first."""
        listing.delete_route(holder["session"], route)

    @instances.command("list")
    def list_instances() -> None:
        """The env's instances."""
        listing.instances(holder["session"])

    return [orgs, apps, envs, routes, instances]
