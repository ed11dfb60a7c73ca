"""The dashboards over the running platform: what a panel asks is answered, and where nothing can be shown it is known why."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest

from miniplatform.launcher import wait_for
from obslib.catalog import Dashboard, Panel
from obslib.catalog.platform import PLATFORM, dashboards

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BOARDS = [board for board in PLATFORM.of(Dashboard) if board is not dashboards.PROJECTIONS]
"""All but the one whose panel on errors needs an event that breaks a projection; that one is looked at with the alerts."""

EMPTY: Mapping[str, str] = {
    "Replication lag": "the miniplatform starts no standby",
    "Backups": "it makes no backups",
    "Age of the newest good backup": "it makes no backups",
    "Address pools in use": "it allocates no addresses",
    "Secrets delivered": "it delivers no secrets",
    "Oldest handshake": "its overlay is the loopback interface",
    "Instances ended for memory": "none was, until one is",
    "Memory against its cap": "its host may let nobody make control groups",
    "Waiting for a processor": "its host may have no control groups of version 2",
}
"""Panels that may stay empty here, and why that is no mistake of theirs."""


@pytest.fixture(scope="module")
def serving(shared: Any) -> Any:
    """The shared platform after a deploy that serves and a request without a token, its tables analysed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared.tenant("boards").json("deploy", str(shared.manifest(port)))
    wait_for("an answer through the edge", lambda: serves(port), deadline_s=60)
    assert httpx.get(f"{shared.platform.api}/v1/whoami", timeout=5).status_code == 401
    with psycopg.connect(shared.platform.database.url, autocommit=True) as connection:
        connection.execute("ANALYZE events")
    return shared


@pytest.fixture(scope="module")
def prometheus(
    serving: Any, prometheus_over: Callable[..., Any], need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A real Prometheus that scrapes it."""
    with prometheus_over(serving.platform, need("prometheus"), tmp_path_factory.mktemp("boards"), shorten=15) as server:
        yield server


def test_every_panel_shows_something_or_it_is_known_why_not(serving: Any, prometheus: Any) -> None:
    """Each query is one that Prometheus answers, with series that carry the labels of the panel's legend (EXT-12)."""
    for board in BOARDS:
        for panel in board.panels:
            asked = partial(answer, prometheus, panel)
            if panel.title in EMPTY:
                found = asked()
            else:
                found = wait_for(f"data for {panel.title!r} of {board.uid}", asked, deadline_s=60, every_s=0.3)
            for label in re.findall(r"{{(\w+)}}", panel.legend):
                assert all(label in item["metric"] for item in found), (panel.title, label)


def test_what_may_be_empty_is_a_panel() -> None:
    """A panel that was renamed or taken away leaves no excuse behind."""
    assert set(EMPTY) <= {panel.title for board in BOARDS for panel in board.panels}


def test_mutant_a_query_that_prometheus_cannot_read_is_refused(serving: Any, prometheus: Any) -> None:
    """An empty answer and no answer are told apart."""
    assert prometheus.query("max(nobody_exports_this)") == []
    with pytest.raises(httpx.HTTPStatusError):
        prometheus.query("max by (")


def answer(prometheus: Any, panel: Panel) -> list[dict[str, Any]]:
    """What Prometheus answers to a panel, whatever is chosen."""
    found: list[dict[str, Any]] = prometheus.query(re.sub(r"\$\{\w+\}", ".*", panel.query.render()))
    return found


def serves(port: int) -> bool:
    """Whether the app answers through the edge."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=2).is_success
    except httpx.HTTPError:
        return False
