"""``miniplatform agent``: wires the agent's parts together and runs them until it is told to stop."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import obslib
from miniplatform.agent.caps import choose
from miniplatform.agent.cgroups import Hierarchies
from miniplatform.agent.client import Client
from miniplatform.agent.console import Consoles
from miniplatform.agent.heartbeat import beat, node_report
from miniplatform.agent.images import Images
from miniplatform.agent.node import Node
from miniplatform.agent.reconcile import Reconciler
from miniplatform.agent.reports import Reporter
from miniplatform.agent.sampling import Sampler
from miniplatform.agent.state import State
from miniplatform.agent.supervisor import Supervisor
from miniplatform.agent.workload import Launcher
from miniplatform.config import ConfigError, NodeIdentity, Timings
from miniplatform.process import Arguments, ExitCode, Refusal, announce
from obslib.workload.node import Bounds, Capture, Forwarder, Spool
from obslib_agent import Disk, instrument

__all__ = ["main"]

_FLUSH_S = 1.5
_AGAIN_AFTER_S = 1.0
_SPOOL_BYTES = 64 * 2**20


async def main(arguments: Arguments, timings: Timings) -> None:
    """Run the agent of one node; on cancellation it sends what it can and leaves the workloads running."""
    if arguments.identity is None or not arguments.api:
        raise ConfigError("an agent needs --identity FILE and --api URL ('make up' gives both)")
    identity = NodeIdentity.load(arguments.identity)
    with _alone(arguments.home), _state(arguments.home / "agent.sqlite") as state:
        await _run(arguments, timings, identity, state)


async def _run(arguments: Arguments, timings: Timings, identity: NodeIdentity, state: State) -> None:
    launcher = Launcher(arguments.home / "boots")
    caps = choose(arguments.home, Hierarchies.mounted())
    images = Images(arguments.home / "images", arguments.home / "boots")
    news = asyncio.Event()
    node = Node(state, launcher, timings, on_report=news.set)
    obs = obslib.start("agent", node_id=identity.node_id, admin_port=arguments.admin_port)
    spool = Spool(arguments.home / "workload-logs.sqlite", clock=obs.clock, bounds=Bounds(spool_bytes=_SPOOL_BYTES))
    agent = instrument(
        obs,
        launcher=launcher,
        overlay=None,
        disks=(Disk(kind="scratch", path=arguments.home), Disk(kind="image_cache", path=arguments.home / "images")),
        states=node.states,
        desired=node.desired,
        image_cache=lambda: images.totals,
        logs=lambda: spool.totals,
        silent_after_s=timings.silent_after_s,
    )
    spool.on_loss = agent.workload_logs.lost
    capture = Capture(spool, launcher.directory, clock=obs.clock)
    consoles = Consoles(capture, spool, agent.workload_logs, known=state.boot_ids)
    client = Client(obs, agent, arguments.api, identity, connect_timeout_s=timings.connect_timeout_s)
    forwarder = Forwarder(spool, client.logs, clock=obs.clock, on_failure=agent.workload_logs.forward_failed)
    reporter = Reporter(obs, agent, client, state, news)
    supervisor = Supervisor(obs, agent, launcher, caps, images, consoles, timings)
    sampler = Sampler(agent, node, caps)
    reconciler = Reconciler(obs, agent, client, node, supervisor, consoles, period_s=timings.agent_period_s)
    report = partial(node_report, node, obs.clock, reconciler)
    pulse = partial(beat, agent, client, report, every_s=timings.heartbeat_s)
    async with obs:
        announce(arguments, obs.admin_address)
        reconciler.adopt()
        caps.clear(keep=node.open_boots())
        reporting = asyncio.create_task(_persistently(obs, "reports", reporter.run))
        try:
            await asyncio.gather(
                reconciler.run(),
                _persistently(obs, "consoles", consoles.follow),
                _persistently(obs, "workload logs", forwarder.run),
                _persistently(obs, "heartbeat", pulse),
                _persistently(obs, "sampling", sampler.run),
            )
        finally:
            await node.let_go()
            reporter.finish()
            await asyncio.wait([reporting], timeout=_FLUSH_S)
            reporting.cancel()
            await client.close()
            spool.close()


async def _persistently(obs: obslib.Observability, part: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run a part of the agent: what it did not foresee (a full disk) is told, and neither ends the others nor the workloads."""
    while True:
        try:
            await work()
            return
        except Exception:
            obs.log.exception("a part of the agent failed and starts again", operation=part)
            await asyncio.sleep(_AGAIN_AFTER_S)


@contextmanager
def _state(path: Path) -> Iterator[State]:
    try:
        state = State(path)
    except sqlite3.DatabaseError as error:
        raise Refusal(
            f"the agent's state at {str(path)!r} cannot be used ({error}); move it away to start with an empty node",
            ExitCode.FAILURE,
        ) from None
    try:
        yield state
    finally:
        state.close()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Two agents on one node would start everything twice."""
    lock = os.open(home / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Refusal(f"an agent already runs in {str(home)!r}; stop it first", ExitCode.CONFLICT) from None
    try:
        yield
    finally:
        os.close(lock)
