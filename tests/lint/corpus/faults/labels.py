"""Values and names of labels, written in every way people write them."""

import functools
import os
import random
import socket
import time
import uuid
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import obslib
from obslib import Observability
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform import data_plane as s
from starlette.requests import Request

from .signals import BASKETS, CHECKOUT_SECONDS, ORDERS, VISITS


class Shop:
    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._orders = obs.metrics[ORDERS]
        self._visits = obs.metrics[VISITS].labels

    async def visit(self, request: Request) -> None:
        self._visits(region=request.headers["x-region"]).inc()  # <- label-from-request
        self._visits(region=request.query_params.get("region", "eu")).inc()  # <- label-from-request
        self._visits(region=request.url.path).inc()  # <- label-from-request
        region = request.path_params["region"]
        self._visits(region=region).inc()  # <- label-from-request
        where = {"region": str(request.url)}
        self._visits(**where).inc()  # <- label-from-request
        body = await request.json()
        self._orders.labels(kind=body["kind"], result="success").inc()  # <- label-from-request
        [self._visits(region=each).inc() for each in request.headers.values()]  # <- label-from-request

        def later() -> None:
            self._visits(region=request.client.host).inc()  # <- label-from-request

        later()
        self._visits(region=urlsplit(str(request.url)).hostname).inc()  # <- label-from-request
        self._count(request.url.hostname)

    def _count(self, region: str) -> None:
        self._visits(region=region).inc()  # <- label-from-request

    def order(self, kind: str) -> None:
        try:
            self._place()
        except ValueError as error:
            self._orders.labels(kind=str(error), result="failure").inc()  # <- label-from-exception
            self._orders.labels(kind=type(error).__name__, result="failure").inc()  # <- label-from-exception
            why = repr(error)
            self._orders.labels(kind=why, result="failure").inc()  # <- label-from-exception
            self._visits(region=error.args[0]).inc()  # <- label-from-exception
        except (KeyError, TypeError) as problem:
            failed = partial(self._orders.labels, kind="final")
            failed(result=f"{problem}").inc()  # <- label-from-exception
        self._orders.labels(kind=kind, result="success").inc()  # <- unbounded-label
        self._orders.labels(kind=os.environ["KIND"], result="success").inc()  # <- unbounded-label
        self._orders.labels(kind=socket.gethostname(), result="success").inc()  # <- unbounded-label
        self._orders.labels(kind=input(), result="success").inc()  # <- unbounded-label
        self._visits(region=str(time.time())).inc()  # <- unbounded-label
        self._visits(region=datetime.now().isoformat()).inc()  # <- unbounded-label
        self._visits(region=str(random.random())).inc()  # <- unbounded-label

    def ids(self, order, customer) -> None:
        self._visits(region=str(uuid.uuid4())).inc()  # <- label-from-id
        self._visits(region=uuid.uuid4().hex).inc()  # <- label-from-id
        self._visits(region=order.user_id).inc()  # <- label-from-id
        self._orders.labels(kind=order.order_id, result="success").inc()  # <- label-from-id
        self._obs.metrics[BASKETS].labels(org_id=customer.user_id).set(1)  # <- label-from-id
        self._orders.labels(kind=customer.id, result="success").inc()  # <- label-from-id
        self._visits(region=customer["id"]).inc()  # <- label-from-id
        self._orders.labels(kind=order.kind, result="success").inc()  # <- unbounded-label
        self._orders.labels(kind=order, result="success").inc()  # <- unbounded-label
        fresh = uuid.UUID(order.text)
        self._visits(region=str(fresh)).inc()  # <- label-from-id

    def texts(self, status: int, part: str, parts: list[str]) -> None:
        self._orders.labels(kind=f"kind-{part}", result="success").inc()  # <- label-from-text
        self._orders.labels(kind="kind-%s" % part, result="success").inc()  # <- label-from-text
        self._orders.labels(kind="kind-{}".format(part), result="success").inc()  # <- label-from-text
        self._orders.labels(kind="kind-" + part, result="success").inc()  # <- label-from-text
        self._orders.labels(kind="-".join(parts), result="success").inc()  # <- label-from-text
        self._visits(region=f"{status}xx").inc()  # <- label-from-text
        self._visits(region=self._name(part)).inc()  # <- label-from-text
        inc = functools.partial(self._visits, region=f"{part}!")  # <- label-from-text
        inc().inc()

    def addresses(self, referrer: str) -> None:
        self._visits(region=urlsplit(referrer).hostname).inc()  # <- label-from-url
        host = urlsplit(referrer).netloc.lower()
        self._visits(region=host).inc()  # <- label-from-url
        self._orders.labels(kind=urlsplit(referrer).path, result="success").inc()  # <- label-from-url

    def _name(self, part: str) -> str:
        named = f"region-{part}"
        return named

    def names(self, extra: dict[str, str]) -> None:
        self._orders.labels(kind="final", result="success", colour="red").inc()  # <- undeclared-label
        self._orders.labels(kind="final").inc()  # <- undeclared-label
        self._orders.labels(kimd="final", result="success").inc()  # <- undeclared-label
        self._visits(regions="eu").inc()  # <- undeclared-label
        self._visits(**{"zone": "eu"}).inc()  # <- undeclared-label
        self._visits(**extra).inc()  # <- unresolved-signal
        self._obs.metrics[s.AGENT_INSTANCES].labels(status="ready").set(1)  # <- undeclared-label
        self._obs.metrics[cp.EVENT_APPEND_DURATION].labels(outcome="success").observe(1)  # <- undeclared-label

    def values(self) -> None:
        self._orders.labels(kind="weekly", result="success").inc()  # <- undeclared-label-value
        self._orders.labels(kind="final", result="ok").inc()  # <- undeclared-label-value
        self._obs.metrics[CHECKOUT_SECONDS].labels(result="failed").observe(1.0)  # <- undeclared-label-value
        self._obs.metrics[s.AGENT_INSTANCES].labels(state="running").set(3)  # <- undeclared-label-value
        kind = "yearly"
        self._orders.labels(kind=kind, result="success").inc()  # <- undeclared-label-value
        for each in ("monthly", "final", "refunds"):
            self._orders.labels(kind=each, result="success").inc()  # <- undeclared-label-value
        given = dict(kind="monthly", result="none")
        self._orders.labels(**given).inc()  # <- undeclared-label-value

    def _place(self) -> None: ...


def metrics(obs: obslib.Observability, which, name: str) -> None:
    obs.metrics["shop_orders_total"].labels(kind="final").inc()  # <- undeclared-metric
    obs.metrics[s.AGENT_INSTANCE].labels(state="ready").set(1)  # <- undeclared-metric
    obs.metrics[f"shop_{name}"].inc()  # <- undeclared-metric
    obs.metrics[name].inc()  # <- undeclared-metric
    obs.metrics[s.INSTANCE_READY].inc()  # <- undeclared-metric
    obs.metrics[which].inc()  # <- unresolved-signal
    obs.metrics[getattr(s, name)].inc()  # <- unresolved-signal
    obs.metrics[which.orders].inc()  # <- unresolved-signal
    obs.span(which.span)  # <- unresolved-signal
    obs.operation(which["boot"])  # <- unresolved-signal
    obs.log.event(which, order_id="ord_1")  # <- unresolved-signal
