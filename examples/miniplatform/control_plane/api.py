"""The route table: every path of the API and who answers it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from miniplatform.control_plane import (
    apps,
    audit,
    changes,
    debugging,
    deploys,
    describe,
    draining,
    edges,
    events,
    logs,
    nodes,
    orgs,
    retention,
    routes,
)
from miniplatform.control_plane.call import Handler, endpoint
from miniplatform.control_plane.platform import Platform
from miniplatform.control_plane.problems import refuse_unrouted
from obslib_control_plane.exchange import AsgiApp

__all__ = ["make_app"]

_ORG = "/v1/orgs/{org}"
_APP = f"{_ORG}/apps/{{app}}"
_ENV = f"{_APP}/envs/{{env}}"
_NODE = "/v1/nodes/{node}"
_EDGE = "/v1/edges/{node}"

_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/v1/whoami", orgs.whoami),
    ("POST", "/v1/orgs", orgs.create_org),
    ("POST", f"{_ORG}/tokens", orgs.issue_token),
    ("GET", f"{_ORG}/events", events.query_events),
    ("GET", f"{_ORG}/events/stream", events.stream_events),
    ("GET", f"{_ORG}/changes", changes.list_changes),
    ("GET", f"{_ORG}/audit", audit.query),
    ("GET", f"{_ORG}/audit/verify", audit.verify),
    ("GET", f"{_ORG}/apps", apps.list_apps),
    ("POST", f"{_ORG}/apps", apps.create_app),
    ("POST", f"{_APP}/releases", deploys.create_release),
    ("GET", f"{_APP}/envs", apps.list_envs),
    ("POST", f"{_APP}/envs", apps.create_env),
    ("POST", f"{_ENV}/deploys", deploys.create_deploy),
    ("GET", f"{_ENV}/deploys/{{deploy}}", deploys.show_deploy),
    ("PUT", f"{_ENV}/scale", deploys.scale),
    ("GET", f"{_ENV}/status", describe.status),
    ("GET", f"{_ENV}/describe", describe.env),
    ("GET", f"{_ENV}/why", describe.why),
    ("GET", f"{_ENV}/logs", logs.query_logs),
    ("GET", f"{_ENV}/logs/stream", logs.stream_logs),
    ("GET", f"{_ENV}/instances", describe.list_instances),
    ("GET", f"{_ENV}/instances/{{instance}}", describe.show_instance),
    ("GET", f"{_ENV}/instances/{{instance}}/describe", describe.instance),
    ("GET", f"{_ENV}/routes", routes.list_routes),
    ("POST", f"{_ENV}/routes", routes.create_route),
    ("GET", f"{_ENV}/routes/{{route}}", routes.show_route),
    ("DELETE", f"{_ENV}/routes/{{route}}", routes.delete_route),
    ("GET", f"{_ENV}/routes/{{route}}/describe", describe.route),
    ("POST", "/v1/nodes", nodes.enroll),
    ("PUT", f"{_NODE}/state", draining.set_state),
    ("GET", f"{_NODE}/plan", nodes.plan),
    ("POST", f"{_NODE}/heartbeat", nodes.heartbeat),
    ("POST", f"{_NODE}/logs", logs.accept_logs),
    ("POST", f"{_NODE}/instances/{{instance}}/status", nodes.accept_status),
    ("GET", f"{_EDGE}/config", edges.config),
    ("POST", f"{_EDGE}/heartbeat", edges.heartbeat),
    ("GET", "/v1/retention", retention.show),
    ("POST", "/v1/event-log/discard", retention.discard_events),
    ("GET", "/_debug/projections", debugging.projections),
    ("GET", "/_debug/consumers", debugging.consumers),
    ("GET", "/_debug/convergence", debugging.convergence),
    ("GET", "/_debug/edges", debugging.edges),
)


def make_app(platform: Platform) -> AsgiApp:
    """The API over ``platform``, instrumented."""
    app = Starlette(
        routes=[Route(path, endpoint(handler), methods=[method]) for method, path, handler in _TABLE],
        exception_handlers={HTTPException: refuse_unrouted},
    )
    app.state.platform = platform
    app.router.redirect_slashes = False
    return platform.telemetry.requests.around(app)
