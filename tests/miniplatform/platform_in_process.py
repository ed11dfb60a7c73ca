"""A control plane and its projector in the test's own process, over a real database, with everything they emit at hand."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg_pool

from miniplatform.config import Timings
from miniplatform.control_plane.api import make_app
from miniplatform.control_plane.deliveries import Deliveries
from miniplatform.control_plane.logs import placed_in
from miniplatform.control_plane.main import ERRORS, audit_in
from miniplatform.control_plane.platform import Platform
from miniplatform.control_plane.probes import Probes
from miniplatform.control_plane.quotas import enforced_in
from miniplatform.projector.work import Work
from miniplatform.store.notices import Notices
from miniplatform.store.pool import Database
from miniplatform.store.tokens import Bearer, issue
from miniplatform.store.views import PostgresViews
from obslib.access import Scope
from obslib.budget import Quotas
from obslib.clock import SystemClock
from obslib.ids import SystemIds
from obslib.testing import RecordedObservability, observability
from obslib.workload import SqliteLogStore
from obslib_control_plane import instrument, instrument_projector

__all__ = ["MANIFEST", "InProcess", "deployed", "in_process"]

OWN_QUOTAS = Path(__file__).parents[2] / "examples" / "miniplatform" / "quotas.toml"
MANIFEST = {"name": "web", "process": {"web": {"command": ["python", "-m", "web"], "replicas": 2}}}


@dataclass
class InProcess:
    """What a test drives: clients by token, the projector by ``is_projecting``, quotas, and the records of both components."""

    app: Any
    database: Database
    obs: RecordedObservability
    projector: RecordedObservability
    operator: httpx.AsyncClient
    quotas: dict[str, int]
    is_projecting: bool = True
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, token: str) -> httpx.AsyncClient:
        """A client that sends ``token``."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        client = httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers)
        self.clients.append(client)
        return client

    async def org(self, name: str, role: str = "owner") -> httpx.AsyncClient:
        """A client of a member of org ``name``, which is made when there is none."""
        await self.operator.post("/v1/orgs", json={"name": name})
        reply = await self.operator.post(f"/v1/orgs/{name}/tokens", json={"role": role})
        return self.client(reply.json()["token"])

    async def node(self, name: str, kind: str = "agent") -> tuple[str, httpx.AsyncClient]:
        """A node that is enrolled, and its client."""
        wanted = {"name": name, "kind": kind, "address": "127.0.0.1", "memory_bytes": 2**30}
        reply = (await self.operator.post("/v1/nodes", json=wanted)).json()
        return reply["node_id"], self.client(reply["token"])


async def deployed(client: httpx.AsyncClient, org: str) -> dict[str, Any]:
    """An app ``web`` with an env ``prod`` that has a deploy; the ids of all of it."""
    env = f"/v1/orgs/{org}/apps/web/envs/prod"
    ids: dict[str, Any] = {"env": env}
    for path, body in (
        (f"/v1/orgs/{org}/apps", {"name": "web"}),
        (f"/v1/orgs/{org}/apps/web/envs", {"name": "prod"}),
        (f"/v1/orgs/{org}/apps/web/releases", {"manifest": MANIFEST}),
    ):
        ids.update((await client.post(path, json=body)).json())
    ids.update((await client.post(f"{env}/deploys", json={"release_id": ids["release_id"]})).json())
    return ids


@asynccontextmanager
async def in_process(database_url: str, timings: Timings) -> AsyncIterator[InProcess]:
    """Run both, on a database that is migrated, until the block ends."""
    clock = SystemClock()
    obs = observability("control-plane", errors=ERRORS, clock=clock, ids=SystemIds(clock))
    projector = observability("projector", errors=ERRORS, clock=clock, ids=SystemIds(clock))
    database, theirs = Database(database_url, acquire_timeout_s=1.0), Database(database_url)
    probes = Probes(database)
    audit = audit_in(database)
    telemetry = instrument(
        obs, audit=audit, figures=database.figures, timeouts=(psycopg_pool.PoolTimeout,), ping=probes.ping,
        probe_append=probes.append, projector=probes.projector, scheduler_age_s=probes.scheduler_age_s,
        last_heard=probes.last_heard, silent_after_s=timings.silent_after_s,
    )  # fmt: skip
    directory = tempfile.TemporaryDirectory(prefix="workload-logs-")
    log_store = SqliteLogStore(Path(directory.name), clock=clock, on_damage=telemetry.logs.damaged)
    notices = Notices(database_url, "events", "views")
    quotas = dict(enforced_in(OWN_QUOTAS).per_org)
    platform = Platform(
        obs=obs, telemetry=telemetry, database=database, views=PostgresViews(database), audit=audit,
        deliveries=Deliveries(telemetry.changes), notices=notices, log_store=log_store,
        log_ingest=telemetry.logs.ingest(log_store, placed_in(database)), quotas=Quotas(per_org=quotas), timings=timings,
    )  # fmt: skip
    watching = instrument_projector(
        projector,
        figures=theirs.figures,
        timeouts=(psycopg_pool.PoolTimeout,),
        ping=lambda: theirs.row("health_probe", "SELECT 1"),
    )
    await database.open(telemetry.database)
    await theirs.open(watching.database)
    async with database.transaction("auth") as connection:
        every = frozenset(scope.value for scope in Scope)
        token = await issue(connection, Bearer(actor_type="service_principal", actor_id="operator", org_id=None, scopes=every))
    plane = InProcess(make_app(platform), database, obs, projector, httpx.AsyncClient(), quotas)
    plane.operator = plane.client(token.reveal())
    tasks = [asyncio.create_task(notices.run()), asyncio.create_task(_project(plane, Work(theirs, watching, report_every_s=1)))]
    try:
        yield plane
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for client in plane.clients:
            await client.aclose()
        await log_store.close()
        directory.cleanup()
        await database.close()
        await theirs.close()
        await asyncio.to_thread(obs.close)
        await asyncio.to_thread(projector.close)


async def _project(plane: InProcess, work: Work) -> None:
    while True:
        if plane.is_projecting:
            where = await work.look()
            for at in where:
                if at.lag_events:
                    await work.apply(at.projection)
            await work.report(where)
        await asyncio.sleep(0.01)
