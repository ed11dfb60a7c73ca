"""Names the linter knows: of obslib, and of the libraries people would otherwise use beside it."""

from __future__ import annotations

from collections.abc import Mapping

from obslib.lint.value import ANYTHING, Kind, Taint, Value, tainted, text, thing

__all__ = [
    "CALLS",
    "DECLARATIONS",
    "OBJECTS",
    "PEER_METRICS",
    "SHIMS",
    "STARTS",
    "TYPES",
    "WIRE_THROUGH",
    "is_obslib",
    "is_own",
    "known_object",
    "known_type",
]

SHIMS = frozenset({"obslib_agent", "obslib_control_plane", "obslib_edge", "obslib_scheduler"})

STARTS = frozenset({"start", "launch", "observability"})
"""obslib's functions that give an Observability."""

DECLARATIONS = Value(Kind.COLLECTION, name="catalog", base=Value(Kind.DECLARATION, name="Declaration"))
"""A catalog, as a collection of what it declares."""

_OWN_TYPES: Mapping[str, Value] = {
    "Observability": thing(Kind.OBSERVABILITY),
    "Secret": thing(Kind.SECRET),
    "Logger": thing(Kind.LOG),
    "Registry": thing(Kind.METRICS),
    "Counter": Value(Kind.DECLARATION, name="Counter"),
    "Gauge": Value(Kind.DECLARATION, name="Gauge"),
    "Histogram": Value(Kind.DECLARATION, name="Histogram"),
    "InstanceMetric": Value(Kind.DECLARATION, name="InstanceMetric"),
    "Family": Value(Kind.DECLARATION, name="Family"),
    "LogEvent": Value(Kind.DECLARATION, name="LogEvent"),
    "SpanKind": Value(Kind.DECLARATION, name="SpanKind"),
    "Operation": Value(Kind.DECLARATION, name="Operation"),
    "Check": Value(Kind.DECLARATION, name="Check"),
    "Loop": Value(Kind.DECLARATION, name="Loop"),
    "Cursor": Value(Kind.DECLARATION, name="Cursor"),
    "Declaration": Value(Kind.DECLARATION, name="Declaration"),
    "Catalog": DECLARATIONS,
    "CounterFamily": thing(Kind.FAMILY),
    "GaugeFamily": thing(Kind.FAMILY),
    "HistogramFamily": thing(Kind.FAMILY),
    "BoundCounter": thing(Kind.CELL),
    "BoundGauge": thing(Kind.CELL),
    "BoundHistogram": thing(Kind.CELL),
    "BoundSpan": thing(Kind.SPAN),
    "ActiveSpan": thing(Kind.ACTIVE_SPAN),
    "BoundOperation": thing(Kind.OPERATION),
}
"""obslib's types by their last name; the room they come from does not matter."""

TYPES: Mapping[str, Value] = {
    "structlog.stdlib.BoundLogger": thing(Kind.STRUCTLOG),
    "structlog.BoundLogger": thing(Kind.STRUCTLOG),
    "structlog.typing.FilteringBoundLogger": thing(Kind.STRUCTLOG),
    "structlog.types.FilteringBoundLogger": thing(Kind.STRUCTLOG),
    "logging.Logger": thing(Kind.STDLIB_LOG),
    "logging.LoggerAdapter": thing(Kind.STDLIB_LOG),
    "opentelemetry.trace.Tracer": thing(Kind.TRACER),
    "opentelemetry.trace.Span": thing(Kind.ACTIVE_SPAN),
    "opentelemetry.metrics.Meter": thing(Kind.METER),
    "starlette.requests.Request": thing(Kind.REQUEST),
    "starlette.requests.HTTPConnection": thing(Kind.REQUEST),
    "starlette.websockets.WebSocket": thing(Kind.REQUEST),
    "starlette.datastructures.URL": tainted(Taint.URL),
    "starlette.datastructures.Headers": tainted(Taint.REQUEST),
    "starlette.types.Scope": thing(Kind.REQUEST),
    "fastapi.Request": thing(Kind.REQUEST),
    "fastapi.requests.Request": thing(Kind.REQUEST),
    "fastapi.WebSocket": thing(Kind.REQUEST),
    "flask.Request": thing(Kind.REQUEST),
    "werkzeug.Request": thing(Kind.REQUEST),
    "werkzeug.wrappers.Request": thing(Kind.REQUEST),
    "django.http.HttpRequest": thing(Kind.REQUEST),
    "aiohttp.web.Request": thing(Kind.REQUEST),
    "httpx.Request": thing(Kind.REQUEST),
    "httpx.URL": tainted(Taint.URL),
    "yarl.URL": tainted(Taint.URL),
    "urllib.parse.ParseResult": tainted(Taint.URL),
    "urllib.parse.SplitResult": tainted(Taint.URL),
    "http.server.BaseHTTPRequestHandler": thing(Kind.REQUEST),
    "pydantic.SecretStr": thing(Kind.SECRET),
    "pydantic.SecretBytes": thing(Kind.SECRET),
    "uuid.UUID": tainted(Taint.ID),
    "ipaddress.IPv4Address": tainted(Taint.REQUEST),
    "ipaddress.IPv6Address": tainted(Taint.REQUEST),
    "datetime.datetime": tainted(Taint.UNBOUNDED),
    "datetime.date": tainted(Taint.UNBOUNDED),
    "pathlib.Path": tainted(Taint.UNBOUNDED),
    "builtins.str": Value(Kind.STRING),
    "builtins.bytes": Value(Kind.STRING),
    "builtins.object": ANYTHING,
    "typing.Any": ANYTHING,
    "builtins.int": Value(Kind.NUMBER),
    "builtins.float": Value(Kind.NUMBER),
    "builtins.bool": text("True", "False"),
    "builtins.BaseException": thing(Kind.EXCEPTION),
    "builtins.Exception": thing(Kind.EXCEPTION),
    "types.TracebackType": thing(Kind.EXCEPTION),
}
"""What a value of this type is."""

OBJECTS: Mapping[str, Value] = {
    "flask.request": thing(Kind.REQUEST),
    "logging.root": thing(Kind.STDLIB_LOG),
    "os.environ": Value(Kind.COLLECTION, base=Value(Kind.STRING)),
    "sys.argv": Value(Kind.COLLECTION, base=Value(Kind.STRING)),
}
"""Module attributes that are objects already."""

_UNBOUNDED = tainted(Taint.UNBOUNDED)

CALLS: Mapping[str, Value] = {
    "structlog.get_logger": thing(Kind.STRUCTLOG),
    "structlog.getLogger": thing(Kind.STRUCTLOG),
    "structlog.stdlib.get_logger": thing(Kind.STRUCTLOG),
    "structlog.wrap_logger": thing(Kind.STRUCTLOG),
    "logging.getLogger": thing(Kind.STDLIB_LOG),
    "logging.LoggerAdapter": thing(Kind.STDLIB_LOG),
    "opentelemetry.trace.get_tracer": thing(Kind.TRACER),
    "opentelemetry.trace.get_current_span": thing(Kind.ACTIVE_SPAN),
    "opentelemetry.metrics.get_meter": thing(Kind.METER),
    "uuid.uuid1": tainted(Taint.ID),
    "uuid.uuid3": tainted(Taint.ID),
    "uuid.uuid4": tainted(Taint.ID),
    "uuid.uuid5": tainted(Taint.ID),
    "uuid.UUID": tainted(Taint.ID),
    "ulid.new": tainted(Taint.ID),
    "ulid.ULID": tainted(Taint.ID),
    "builtins.id": tainted(Taint.ID),
    "builtins.hash": tainted(Taint.ID),
    "time.time": _UNBOUNDED,
    "time.time_ns": _UNBOUNDED,
    "time.monotonic": _UNBOUNDED,
    "time.perf_counter": _UNBOUNDED,
    "time.strftime": _UNBOUNDED,
    "datetime.datetime.now": _UNBOUNDED,
    "datetime.datetime.utcnow": _UNBOUNDED,
    "datetime.date.today": _UNBOUNDED,
    "random.random": _UNBOUNDED,
    "random.randint": _UNBOUNDED,
    "random.randrange": _UNBOUNDED,
    "secrets.token_hex": _UNBOUNDED,
    "secrets.token_urlsafe": _UNBOUNDED,
    "json.loads": _UNBOUNDED,
    "json.load": _UNBOUNDED,
    "orjson.loads": _UNBOUNDED,
    "re.sub": _UNBOUNDED,
    "urllib.request.urlopen": _UNBOUNDED,
    "builtins.input": _UNBOUNDED,
    "builtins.open": _UNBOUNDED,
    "os.getpid": _UNBOUNDED,
    "os.urandom": _UNBOUNDED,
    "socket.gethostname": _UNBOUNDED,
    "socket.getfqdn": _UNBOUNDED,
    "platform.node": _UNBOUNDED,
    "platform.uname": _UNBOUNDED,
    "os.uname": _UNBOUNDED,
    "os.getlogin": _UNBOUNDED,
    "getpass.getuser": _UNBOUNDED,
    "threading.get_ident": _UNBOUNDED,
    "os.getenv": Value(Kind.STRING),
    "urllib.parse.urlparse": tainted(Taint.URL),
    "urllib.parse.urlsplit": tainted(Taint.URL),
    "urllib.parse.unquote": tainted(Taint.URL),
    "urllib.parse.parse_qs": tainted(Taint.URL),
    "urllib.parse.quote": tainted(Taint.URL),
    "urllib.parse.urljoin": tainted(Taint.URL),
    "urllib.parse.urlunsplit": tainted(Taint.URL),
    "httpx.URL": tainted(Taint.URL),
    "yarl.URL": tainted(Taint.URL),
    "traceback.format_exc": tainted(Taint.EXCEPTION),
    "traceback.format_exception": tainted(Taint.EXCEPTION),
    "traceback.format_exception_only": tainted(Taint.EXCEPTION),
    "sys.exc_info": tainted(Taint.EXCEPTION),
    "sys.exception": thing(Kind.EXCEPTION),
    "builtins.len": Value(Kind.NUMBER),
    "builtins.int": Value(Kind.NUMBER),
    "builtins.float": Value(Kind.NUMBER),
    "builtins.round": Value(Kind.NUMBER),
    "builtins.sum": Value(Kind.NUMBER),
    "builtins.bool": text("True", "False"),
    "builtins.isinstance": text("True", "False"),
    "builtins.any": text("True", "False"),
    "builtins.all": text("True", "False"),
    "builtins.callable": text("True", "False"),
}
"""What a call gives."""

WIRE_THROUGH = frozenset({
    "os.path.basename", "os.path.dirname", "os.path.normpath",
    "builtins.str", "builtins.repr", "builtins.ascii", "builtins.sorted", "builtins.list", "builtins.tuple", "builtins.set",
    "builtins.frozenset", "builtins.reversed", "builtins.iter", "builtins.next", "builtins.min", "builtins.max", "sys.intern",
    "copy.copy", "copy.deepcopy", "html.escape", "asyncio.wait_for", "asyncio.shield",
})  # fmt: skip
"""Calls that give what they are given, as far as a label is concerned."""

PEER_METRICS = frozenset({
    *(f"prometheus_client.{name}" for name in ("Counter", "Gauge", "Histogram", "Summary", "Info", "Enum")),
    *(f"prometheus_client.metrics.{name}" for name in ("Counter", "Gauge", "Histogram", "Summary", "Info", "Enum")),
})  # fmt: skip
"""Metric classes that register themselves beside the catalog."""


def is_obslib(dotted: str) -> bool:
    """Whether a dotted name belongs to obslib or one of its shims."""
    top = dotted.partition(".")[0]
    return top == "obslib" or top in SHIMS


def is_own(dotted: str) -> bool:
    """Whether obslib gives this name to others: what it is to rules is known, even where its source is at hand."""
    top, _, rest = dotted.partition(".")
    return top == "obslib" and ("." not in rest or rest.rpartition(".")[2] in _OWN_TYPES.keys() | STARTS)


def known_type(dotted: str) -> Value | None:
    """What a value of the type called ``dotted`` is; None when nothing is known of it."""
    if is_obslib(dotted):
        return _OWN_TYPES.get(dotted.rpartition(".")[2])
    return TYPES.get(dotted)


def known_object(dotted: str) -> Value | None:
    """The object that ``dotted`` names, where it is one the linter knows."""
    return OBJECTS.get(dotted)
