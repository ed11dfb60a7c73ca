"""Nothing that waits or looks outside gets into a liveness probe unseen, by whichever way the probe reaches it."""

from __future__ import annotations

from pathlib import Path

import pytest

from obslib.lint import RULES, Project, check, reach
from obslib.lint.rules import blocking_liveness
from obslib.lint.rules.blocking_liveness import BlockingLiveness

_PATH = Path("/no/such/example.py")
_HEAD = (
    "import asyncio, httpx, os, psycopg, redis, requests, socket, sqlite3, subprocess, threading, time, urllib.request\n"
    "import boto3 as aws\nfrom functools import partial\nfrom pathlib import Path\nfrom time import sleep as nap\n"
    "from fastapi import FastAPI\nfrom starlette.routing import Route\napp = FastAPI()\nguard = threading.Lock()\n"
)

_CALLS = (
    "requests.get('http://db')", "httpx.get('http://db')", "urllib.request.urlopen('http://db')", "psycopg.connect('')",
    "redis.Redis().ping()", "aws.client('s3')", "socket.create_connection(('db', 1))", "subprocess.run(['true'])",
    "os.system('true')", "time.sleep(1)", "nap(1)", "open('/proc/1')", "os.stat('/')", "os.path.exists('/')",
    "Path('/').exists()", "Path('/').read_text()", "sqlite3.connect('x')", "guard.acquire()", "db.execute('select 1')",
    "app.state.pool.acquire()", "client.get('http://db')", "self.session.post('x')", "cursor.fetchone()", "ping()",
    "asyncio.run(asyncio.sleep(1))", "loop.run_in_executor(None, work)", "future.result()", "connection.commit()",
    "app.state.redis.get('a')",
)  # fmt: skip
_PROBES = (
    "@app.get('/livez')\nasync def a():\n    {}", "@app.get('/-/healthy')\nasync def a():\n    return [{} for _ in (1,)]",
    "def liveness(request):\n    if request:\n        {}", "def a(request):\n    return {}\nroutes = [Route('/ping', a)]",
    "@app.get('/live')\ndef a():\n    return b()\ndef b():\n    return c()\ndef c():\n    {}",
    "def a(n, request):\n    {}\napp.add_route('/alive', partial(a, 1))",
    "class A:\n    def livez(self):\n        return self.b()\n    def b(self):\n        {}",
    "@app.get('/healthz')\ndef a():\n    ask = partial(b, 1)\n    ask()\ndef b(n):\n    {}",
    "@app.get('/livez')\ndef a():\n    later = lambda: {}\n    return later()",
    "class A:\n    def do_GET(self):\n        if self.path in ('/', '/livez'):\n            {}",
    "async def application(scope, receive, send):\n    match scope['path']:\n        case '/live':\n            {}",
    "@app.get('/livez')\ndef a():\n    with guard:\n        {}",
)  # fmt: skip


def _is_reported(text: str) -> bool:
    return bool(check(_PATH, _HEAD + text, Project(), [BlockingLiveness]).findings)


@pytest.mark.parametrize("probe", _PROBES)
def test_a_probe_that_leaves_its_process_is_reported(probe: str) -> None:
    """Whatever it asks, directly, through a function, a partial, a method or a lambda."""
    assert [call for call in _CALLS if not _is_reported(probe.format(call))] == []


_FROM_MEMORY = (
    "time.monotonic()", "len(app.routes)", "guard.locked()", "', '.join(names)", "state.get('a')", "asyncio.sleep(0)",
    "guard.acquire(blocking=False)", "socket.gethostname()", "os.getpid()", "dict(a=1)", "queue.qsize()", "watchdog.ages()",
    "partial(requests.get, 'x')", "threading.current_thread().is_alive()", "watch.is_set()", "sorted(names)",
)  # fmt: skip


@pytest.mark.parametrize("call", _FROM_MEMORY)
def test_a_probe_that_answers_from_memory_is_not_reported(call: str) -> None:
    """Time, counts, flags and state of the process itself."""
    for probe in _PROBES[:-1]:
        assert not _is_reported(probe.format(call)), probe


def test_another_path_may_ask_whom_it_likes() -> None:
    """Readiness, and whatever else a route answers."""
    for path in ("/readyz", "/orders", "/livez/../x", "/deliver", "/pinging"):
        assert not _is_reported(f"@app.get({path!r})\ndef a():\n    requests.get('x')")


def test_mutant_a_linter_that_does_not_follow_calls_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """One function between the probe and the database is how it happens."""
    monkeypatch.setattr(reach._Walk, "_through", lambda *_: iter(()))
    assert not _is_reported(_PROBES[4].format(_CALLS[0]))
    assert _is_reported(_PROBES[0].format(_CALLS[0]))


def test_mutant_a_linter_that_knows_only_one_path_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule's own bad examples find out."""
    monkeypatch.setattr(blocking_liveness, "_LIVENESS", reach.Probe(paths=frozenset({"livez"}), names=frozenset()))
    found = [check(_PATH, source, Project(), [BlockingLiveness]).findings for source in RULES["OBS401"].bad]
    assert any(not findings for findings in found)
