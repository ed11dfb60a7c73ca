"""Which calls wait, or look at something outside the process: the network, a database, the file system, a lock.

Known libraries are told by their import. Of an object of which nothing is known, what it is called (``db``, ``client``) and
what it is asked (``execute``, ``ping``) tells enough for the places where the question matters: nothing of the kind belongs
there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from obslib.lint.evaluation import Evaluation
from obslib.lint.module import Module
from obslib.lint.scope import Scope
from obslib.lint.value import Kind, Value

__all__ = ["outside", "outside_of"]

_NETWORK = "asks the network"
_DATABASE = "asks a database"
_SERVICE = "asks another service"
_PROCESS = "starts another process"
_FILES = "looks at the file system"
_TIME = "waits for time to pass"
_LOCK = "waits for a lock"
_OTHERS = "waits for other work to finish"

_LIBRARIES: Mapping[str, tuple[str, ...]] = {
    _NETWORK: (
        "requests", "httpx", "httpcore", "urllib3", "urllib.request", "aiohttp", "http.client", "socket", "websockets",
        "websocket", "grpc", "asyncio.open_connection", "asyncio.open_unix_connection", "dns", "xmlrpc.client", "pycurl",
    ),
    _DATABASE: (
        "psycopg", "psycopg2", "psycopg_pool", "asyncpg", "sqlite3", "aiosqlite", "sqlalchemy", "sqlmodel", "pymysql",
        "MySQLdb", "aiomysql", "mysql", "pymongo", "motor", "cassandra", "clickhouse_connect", "clickhouse_driver", "duckdb",
        "peewee", "django.db", "tortoise", "databases", "oracledb", "pyodbc", "neo4j",
    ),
    _SERVICE: (
        "redis", "aioredis", "pymemcache", "memcache", "kafka", "aiokafka", "confluent_kafka", "pika", "aio_pika", "nats",
        "celery", "kombu", "boto3", "botocore", "aioboto3", "google.cloud", "azure", "kubernetes", "docker", "consul", "etcd3",
        "hvac", "ldap3", "ldap", "smtplib", "aiosmtplib", "imaplib", "ftplib", "paramiko", "asyncssh", "elasticsearch",
        "opensearchpy", "minio", "stripe",
    ),
    _PROCESS: (
        "subprocess", "os.system", "os.popen", "os.fork", "os.posix_spawn", "multiprocessing", "pexpect",
        "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell",
    ),
    _FILES: (
        "builtins.open", "io.open", "os.open", "os.stat", "os.lstat", "os.listdir", "os.scandir", "os.walk", "os.access",
        "os.statvfs", "os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.ismount", "os.path.getsize",
        "os.path.getmtime", "os.remove", "os.unlink", "os.mkdir", "os.makedirs", "os.rename", "os.replace", "os.readlink",
        "shutil", "tempfile", "glob.glob", "glob.iglob", "aiofiles", "psutil.disk_usage", "fcntl", "pathlib.Path.cwd",
    ),
    _TIME: ("time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep", "gevent.sleep", "builtins.input"),
    _LOCK: (
        "threading.Lock", "threading.RLock", "threading.Semaphore", "threading.BoundedSemaphore", "threading.Condition",
        "asyncio.Lock", "asyncio.Semaphore", "asyncio.Condition", "filelock",
    ),
    _OTHERS: (
        "asyncio.to_thread", "starlette.concurrency.run_in_threadpool", "fastapi.concurrency.run_in_threadpool",
        "anyio.to_thread.run_sync", "asyncio.gather", "asyncio.wait", "concurrent.futures.wait", "threading.Event",
        "asyncio.Event", "asgiref.sync.sync_to_async",
    ),
}  # fmt: skip
_KNOWN = {dotted: what for what, listed in _LIBRARIES.items() for dotted in listed}
_HARMLESS_NAMES = re.compile(r"(Error|Exception|Response|Row|gethostname|Timeout|Limits|HTTPStatus|inet_\w+|CompletedProcess)$")

_ASKED: Mapping[str, str] = {
    **dict.fromkeys(
        ("execute", "executemany", "executescript", "fetchone", "fetchall", "fetchmany", "fetchrow", "fetchval", "fetch_one",
         "fetch_all", "fetch_val", "scalar", "scalars", "commit", "rollback", "cursor"), _DATABASE),
    **dict.fromkeys(("ping", "connect", "sendall", "recv", "urlopen", "publish", "open_connection", "getresponse"), _NETWORK),
    **dict.fromkeys(
        ("read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "is_file", "is_dir", "exists", "mkdir", "unlink",
         "rglob", "touch"), _FILES),
    **dict.fromkeys(("acquire",), _LOCK),
    **dict.fromkeys(("result", "wait", "run_in_executor", "run_until_complete", "wait_for"), _OTHERS),
}  # fmt: skip
"""What something unknown may be asked that is never answered from memory."""

_CALLED: Mapping[str, str] = {
    **dict.fromkeys(("db", "database", "conn", "connection", "cursor", "engine", "postgres", "mysql", "mongo"), _DATABASE),
    **dict.fromkeys(("redis", "broker", "kafka", "s3", "upstream", "backend"), _SERVICE),
    **dict.fromkeys(("client", "session", "http", "ping", "connect", "urlopen"), _NETWORK),
    **dict.fromkeys(("pool", "query"), _DATABASE),
    **dict.fromkeys(("lock", "mutex", "semaphore"), _LOCK),
}  # fmt: skip
"""What something unknown may be called that is not in memory."""

_FROM_MEMORY = frozenset({
    "is_closed", "closed", "locked", "qsize", "empty", "full", "done", "is_set", "get_nowait", "put_nowait", "stats",
    "get_stats", "is_connected", "is_alive", "append", "add", "discard", "close", "release", "_replace",
})  # fmt: skip
_UNTOLD = frozenset(
    {Kind.UNKNOWN, Kind.UNTYPED, Kind.FOREIGN, Kind.INSTANCE, Kind.TAINTED, Kind.STRING, Kind.MISSING, Kind.IMPORTED}
)
_NEVER_WAITS = {"blocking": ("False",), "timeout": ("0", "0.0"), "block": ("False",)}


def outside(look: Evaluation, call: ast.Call, scope: Scope, home: Module) -> str:
    """What the call waits for or looks at, as in "asks a database"; empty when nothing of the kind can be told."""
    callee = look.value(call.func, scope, home)
    if callee.kind is Kind.PARTIAL and callee.base is not None:
        callee = callee.base
    if callee.kind is Kind.IMPORTED:
        what = _known(callee.name)
        return "" if _is_nothing(look, call, scope, home, what) else what
    if callee.kind in {Kind.FUNCTION, Kind.CLASS}:
        return ""
    if isinstance(call.func, ast.Attribute):
        if _is_nothing(look, call, scope, home, ""):
            return ""
        return _asked(look.value(call.func.value, scope, home), call.func)
    return _by_name(call.func) if callee.kind in _UNTOLD else ""


def outside_of(look: Evaluation, node: ast.expr, scope: Scope, home: Module) -> str:
    """What entering ``with node:`` waits for: a lock, unless it is told otherwise."""
    value = look.value(node, scope, home)
    what = _known(value.name) if value.kind is Kind.FOREIGN else ""
    return what or (_LOCK if _by_name(node) == _LOCK and value.kind in _UNTOLD else "")


def _asked(base: Value, func: ast.Attribute) -> str:
    if func.attr in _FROM_MEMORY or base.kind not in _UNTOLD:
        return ""
    known = _known(base.name) if base.kind in {Kind.FOREIGN, Kind.IMPORTED} else ""
    return known or _ASKED.get(func.attr, "") or ("" if base.kind is Kind.INSTANCE else _by_name(func.value))


def _known(dotted: str) -> str:
    """By the longest part of the name that is known: ``urllib.request.urlopen`` by ``urllib.request``."""
    if _HARMLESS_NAMES.search(dotted):
        return ""
    parts = dotted.split(".")
    return next((what for cut in range(len(parts), 0, -1) if (what := _KNOWN.get(".".join(parts[:cut]), ""))), "")


def _by_name(node: ast.expr) -> str:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    words = name.lower().strip("_").split("_")
    return _CALLED.get(words[-1], "") or (_CALLED.get(words[0], "") if isinstance(node, ast.Name) else "")


def _is_nothing(look: Evaluation, call: ast.Call, scope: Scope, home: Module, what: str) -> bool:
    """Whether the call waits for no time at all: ``sleep(0)``, ``acquire(blocking=False)``, or only makes a lock."""
    given = {keyword.arg: look.value(keyword.value, scope, home).texts or () for keyword in call.keywords}
    if any(text in given.get(name, ()) for name, texts in _NEVER_WAITS.items() for text in texts):
        return True
    last = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    first = look.value(call.args[0], scope, home).texts or () if call.args else ()
    is_zero = what == _TIME and bool({"0", "0.0"}.intersection(first))
    return is_zero or (last == "acquire" and "False" in first) or (what == _LOCK and last != "acquire" and not call.args)
