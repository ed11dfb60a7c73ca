"""The control plane's process: one per state directory, its API on one port, its admin endpoint on another."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import psycopg_pool
import uvicorn

import obslib
from miniplatform.config import Timings
from miniplatform.control_plane.api import make_app
from miniplatform.control_plane.deliveries import Deliveries
from miniplatform.control_plane.idempotency import forget_old
from miniplatform.control_plane.lock import sole_process
from miniplatform.control_plane.logs import placed_in
from miniplatform.control_plane.platform import Platform
from miniplatform.control_plane.probes import Probes
from miniplatform.control_plane.quotas import enforced_in
from miniplatform.process import Arguments, announce
from miniplatform.store.migrate import migrate
from miniplatform.store.notices import Notices
from miniplatform.store.pool import Database
from miniplatform.store.tokens import Bearer, issue, new_token
from miniplatform.store.views import PostgresViews
from obslib.access import PostgresAudit, Scope
from obslib.budget import Quotas
from obslib.errors import AddressInUse, ErrorClass
from obslib.workload import LogStore, SqliteLogStore
from obslib_control_plane import ControlPlane, instrument

__all__ = ["ERRORS", "audit_in", "main"]

ERRORS: Mapping[type[BaseException], ErrorClass] = {
    psycopg.OperationalError: ErrorClass.UNAVAILABLE,
    psycopg.Error: ErrorClass.DEPENDENCY,
}
"""How failures of the database are classed."""

_LAST_ANSWERS_S = 1


async def main(arguments: Arguments, timings: Timings) -> None:
    """Serve until cancelled.

    Raises Refusal for a second control plane on the state directory and for a database that does not answer,
    AddressInUse for a port that is taken, SettingsError for quotas or a retention policy that it cannot keep.
    """
    with sole_process(arguments.state / "control-plane.lock"), _listening(arguments.port) as listener:
        quotas = enforced_in(arguments.quotas)
        await migrate(arguments.database_url)
        obs = obslib.start(
            "control-plane", admin_port=arguments.admin_port, retention_policy=arguments.retention_policy, errors=ERRORS
        )
        async with obs:
            database = Database(arguments.database_url)
            audit = audit_in(database)
            telemetry = _instrumented(obs, database, audit, timings)
            log_store = SqliteLogStore(arguments.state / "workload-logs", clock=obs.clock, on_damage=telemetry.logs.damaged)
            telemetry.purging.register("workload_logs", log_store)
            await database.open(telemetry.database)
            try:
                await forget_old(database)
                await _ensure_operator(database, _operator_token(arguments.state / "operator.token"))
                await _serve(obs, telemetry, database, audit, log_store, quotas, arguments, timings, listener)
                await telemetry.auditor.settle()
            finally:
                await log_store.close()
                await database.close()


def audit_in(database: Database) -> PostgresAudit:
    """The audit trail in the platform's own database."""
    return PostgresAudit(lambda: database.transaction("log_write"))


def _instrumented(obs: obslib.Observability, database: Database, audit: PostgresAudit, timings: Timings) -> ControlPlane:
    probes = Probes(database)
    return instrument(
        obs,
        audit=audit,
        figures=database.figures,
        timeouts=(psycopg_pool.PoolTimeout,),
        ping=probes.ping,
        probe_append=probes.append,
        projector=probes.projector,
        scheduler_age_s=probes.scheduler_age_s,
        last_heard=probes.last_heard,
        replicas=probes.replicas,
        silent_after_s=timings.silent_after_s,
        purge_every_s=timings.purge_every_s,
    )


async def _serve(
    obs: obslib.Observability,
    telemetry: ControlPlane,
    database: Database,
    audit: PostgresAudit,
    log_store: LogStore,
    quotas: Quotas,
    arguments: Arguments,
    timings: Timings,
    listener: socket.socket,
) -> None:
    notices = Notices(arguments.database_url, "events", "views")
    platform = Platform(
        obs=obs, telemetry=telemetry, database=database, views=PostgresViews(database), audit=audit,
        deliveries=Deliveries(telemetry.changes), notices=notices, log_store=log_store,
        log_ingest=telemetry.logs.ingest(log_store, placed_in(database)), quotas=quotas, timings=timings,
    )  # fmt: skip
    config = uvicorn.Config(
        make_app(platform), log_config=None, log_level="warning", access_log=False, lifespan="off",
        timeout_graceful_shutdown=_LAST_ANSWERS_S,
    )  # fmt: skip
    server = Server(config)
    work = [notices.run(), telemetry.purging.run(), server.serve(sockets=[listener])]
    tasks = [asyncio.create_task(each) for each in work]
    announce(arguments, "{}:{}".format(*listener.getsockname()), kind="api")
    announce(arguments, obs.admin_address)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        for task in tasks[:-1]:
            task.cancel()
        await asyncio.wait(tasks, timeout=_LAST_ANSWERS_S + 1)


class Server(uvicorn.Server):
    """Leaves signals to ``miniplatform.process``."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    # With the protocol named, asyncio switches Nagle's algorithm off on what is accepted.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            raise AddressInUse(f"127.0.0.1:{port} is in use; choose another --port, or 0 for a free one") from None
        listener.listen(128)
        yield listener


def _operator_token(path: Path) -> str:
    """The token in ``path``, made on the first start; only the owner may read it."""
    if not path.exists():
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(new_token())
        draft.replace(path)
    return path.read_text().strip()


async def _ensure_operator(database: Database, token: str) -> None:
    operator = Bearer(
        actor_type="service_principal", actor_id="operator", org_id=None, scopes=frozenset(scope.value for scope in Scope)
    )
    async with database.transaction("auth") as connection:
        await issue(connection, operator, text=token)
