"""Metrics kept in dicts and reached through re-exports, values from routes, servers and the ends of blocks."""

import getpass
import os
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, NamedTuple

import structlog
from fastapi import APIRouter, Header, Query
from flask import Flask
from obslib import Observability
from obslib.metrics.families import CounterFamily
from opentelemetry import trace

from . import exports
from .exports import *
from .exports import CHECKOUT_SECONDS, TAKEN, VISITS

log = structlog.get_logger()
router, app = APIRouter(), Flask(__name__)
ACCESS = "AKIA" "IOSFODNN7EXAMPLE"
DSN = "postgres://shop:" + "hunter2hunter2" + "@db.internal/shop"


@dataclass(frozen=True)
class Bound:
    orders: Any
    visits: CounterFamily

    @classmethod
    def of(cls, obs: Observability) -> "Bound":
        return cls(orders=obs.metrics[TAKEN], visits=obs.metrics[VISITS])


class Pair(NamedTuple):
    orders: Any
    visits: Any


class Kept:
    def __init__(self, obs: Observability) -> None:
        self.bound = Bound.of(obs)
        self.space = SimpleNamespace(orders=obs.metrics[ORDERS])
        self.pair = Pair(obs.metrics[ORDERS], obs.metrics[VISITS])

    def count(self, order) -> None:
        self.bound.orders.labels(kind="finale", result="success").inc()  # <- undeclared-label-value
        self.bound.visits.labels(region=order.user_id).inc()  # <- label-from-id
        self.space.orders.labels(kind=order.user_id, result="success").inc()  # <- label-from-id
        self.pair.visits.labels(kind="eu").inc()  # <- undeclared-label


class Counting:
    def __init__(self, obs: Observability) -> None:
        self.metrics = {"orders": obs.metrics[TAKEN], "visits": obs.metrics[VISITS], "checkout": obs.metrics[CHECKOUT_SECONDS]}
        self.starred = obs.metrics[ORDERS]
        self.through = obs.metrics[exports.BASKETS]

    def count(self, order) -> None:
        self.metrics["orders"].labels(kind="finale", result="success").inc()  # <- undeclared-label-value
        self.metrics["orders"].labels(kind="final", outcome="success").inc()  # <- undeclared-label
        self.metrics["visits"].labels("eu").inc()  # <- undeclared-label
        self.metrics["visits"].labels(region=getattr(order, "id")).inc()  # <- label-from-id
        self.metrics["visits"].labels(region=os.uname().nodename).inc()  # <- unbounded-label
        self.metrics["visits"].labels(region=getpass.getuser()).inc()  # <- unbounded-label
        self.metrics["checkout"].observe(1.0)  # <- undeclared-label
        self.starred.labels(kind="none", result="success").inc()  # <- undeclared-label-value
        self.through.inc()  # <- undeclared-label

    def grown(self, name) -> None:
        kind = "order-"
        kind += name
        self.starred.labels(kind=kind, result="success").inc()  # <- label-from-text

    def filled(self, order) -> None:
        labels = {"result": "success"}
        labels["kind"] = order.user_id
        self.starred.labels(**labels).inc()  # <- label-from-id
        more = dict()
        more["region"] = "eu"
        more["zone"] = "b"
        self.metrics["visits"].labels(**more).inc()  # <- undeclared-label
        self.starred.labels(**grown_elsewhere(order)).inc()  # <- unresolved-signal
        fields = {"size": 1}
        if order:
            fields["password"] = order.pw
        log.info("filled", **fields)  # <- secret-field

    def entities(self, users) -> None:
        for uid, _ in users.items():
            self.metrics["visits"].labels(region=uid).inc()  # <- label-from-id

    def get(self, request, pk) -> None:
        self.metrics["visits"].labels(region=request.GET.get("region")).inc()  # <- label-from-request

    def __exit__(self, exc_type, exc, traceback) -> None:
        self.starred.labels(kind=exc_type.__name__, result="failure").inc()  # <- label-from-exception


def grown_elsewhere(order):
    labels = {}
    labels["kind"] = order.kind
    return labels


def routes(obs: Observability):
    visits = obs.metrics[VISITS]

    @router.get("/shops/{shop}")
    def shop(shop: str, region: str = Query("eu"), agent: Annotated[str, Header()] = "", at: int = 0) -> None:
        visits.labels(region=shop).inc()  # <- label-from-request
        visits.labels(region=region).inc()  # <- label-from-request
        visits.labels(region=agent).inc()  # <- label-from-request

    @app.route("/regions/<string:region>")
    def region(region):
        visits.labels(region=region).inc()  # <- label-from-request

    async def asgi(scope, receive, send) -> None:
        visits.labels(region=scope["path"]).inc()  # <- label-from-request

    def wsgi(environ, start_response):
        visits.labels(region=environ["PATH_INFO"]).inc()  # <- label-from-request

    return shop, region, asgi, wsgi


def secrets(obs: Observability, other) -> None:
    log.info("connecting", key=ACCESS)  # <- secret-field
    log.info("connecting", to=DSN)  # <- secret-field
    log.info("connecting", value="ghp_" "16C7e42F292c6912E7710c838347Ae178B4a")  # <- secret-field
    log.info("connecting", value="sk_live_" "4eC39HqLyjWDarjtT1zdp7dc")  # <- secret-field
    obs.log.info("connecting", header="Bearer " "abcdefghijklmnopqrstuvwxyz0123456789")  # <- secret-field
    log.info("connecting", fields={"pem": ["-----BEGIN RSA PRIVATE KEY-----\n" "MIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"]})  # <- secret-field
    log.info("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U")  # <- secret-field
    trace.get_current_span().set_attribute("db", "postgres://shop:" "hunter2hunter2@db.internal/shop")  # <- secret-field
    log.info("found", value=other.credentials["value"])  # <- secret-field


def told(lines) -> None:
    list(map(print, lines))  # <- print
    sys.__stderr__.write("told\n")  # <- print
